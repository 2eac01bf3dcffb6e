"""A trained index, opened for searching: an inverted file whose best candidates the caller scores exactly."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from clipsearch.ann.centroids import centroids_of
from clipsearch.ann.files import read_index
from clipsearch.ann.lists import lists_by_id, map_lists
from clipsearch.ann.recipes import OperatingPoint
from clipsearch.ann.selection import Selection
from clipsearch.ann.threads import one_thread
from clipsearch.types import Ids, Vectors

_PASSED_OVER = -1
"""What FAISS skips where it expects the number of a list."""

_TENTH = 9


class TrainedIndex:
    """A trained index over its mapped lists. Safe to search from several threads.

    Raises:
        IndexDamaged: a file is missing or unreadable.
    """

    def __init__(self, path: Path, lists: Path) -> None:
        self._index = read_index(path)
        self._lists = map_lists(lists)  # kept here, since FAISS only borrows it
        self._index.replace_invlists(self._lists, False)
        self._quantizer = self._index.quantizer
        self._centroids: Vectors | None = None

    @property
    def list_count(self) -> int:
        """How many lists there are."""
        return int(self._index.nlist)

    def candidates(self, queries: Vectors, count: int, point: OperatingPoint, allowed: Selection | None = None) -> Ids:
        """Ids that are likely nearest to each query, int64 [n, count], likeliest first; -1 where there are no more.

        The lists of the `point` are looked at, those whose centres are nearest.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        with one_thread(len(queries) == 1):
            centres, lists = self._quantizer.search(queries, min(point.probes, self.list_count))
            if point.reach is not None:
                lists[gaps(centres) > point.reach] = _PASSED_OVER
            return self._in_lists(queries, count, lists, centres, allowed)

    def candidates_in(self, query: Vectors, count: int, lists: Ids, allowed: Selection | None = None) -> Ids:
        """As `candidates`, for one query [1, dim] and the lists given (int64 [m], m > 0)."""
        query = np.ascontiguousarray(query, np.float32)
        wanted = np.ascontiguousarray(lists[None], np.int64)
        centres = np.ascontiguousarray((self._centres()[lists] @ query[0])[None])
        with one_thread(True):
            return self._in_lists(query, count, wanted, centres, allowed)

    def _in_lists(self, queries: Vectors, count: int, lists: Ids, centres: Vectors, allowed: Selection | None) -> Ids:
        scores, ids = np.empty((len(queries), count), np.float32), np.empty((len(queries), count), np.int64)
        parameters = faiss.SearchParametersIVF(nprobe=lists.shape[1], **_selecting(allowed))
        pointers = [faiss.swig_ptr(array) for array in (lists, centres, scores, ids)]
        # FAISS's own Python wrapper of this does not pass parameters on.
        self._index.search_preassigned_c(len(queries), faiss.swig_ptr(queries), count, *pointers, False, parameters)
        return ids

    def centre_scores(self, queries: Vectors, probes: int) -> Vectors:
        """Inner products of each query with its nearest centres, best first, float32 [n, min(probes, lists)]."""
        scores: Vectors = self._quantizer.search(queries, min(probes, self.list_count))[0]
        return scores

    def list_scores(self, query: Vectors) -> NDArray[np.float32]:
        """The inner product of one query [1, dim] with every list's centre, float32 [lists]."""
        scores: NDArray[np.float32] = self._centres() @ query[0]
        return scores

    def lists_by_id(self, below: int) -> NDArray[np.int32]:
        """The number of the list each id below `below` is in, int32; -1 for ids in none."""
        return lists_by_id(self._lists, below)

    def _centres(self) -> Vectors:
        if self._centroids is None:
            self._centroids = centroids_of(self._quantizer)
        return self._centroids


def gaps(centres: Vectors) -> Vectors:
    """By how much each centre scores lower than the tenth nearest, from scores that are best first, float32 [n, m]."""
    return centres[:, min(_TENTH, centres.shape[1] - 1), None] - centres


def _selecting(allowed: Selection | None) -> dict[str, object]:
    return {} if allowed is None else {"sel": allowed.selector}
