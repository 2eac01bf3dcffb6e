"""A trained index, opened for searching: an inverted file whose best candidates the caller scores exactly."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from clipsearch.ann.centroids import centroids_of
from clipsearch.ann.files import read_index
from clipsearch.ann.lists import lists_by_id, map_lists
from clipsearch.ann.selection import Selection
from clipsearch.ann.threads import one_thread
from clipsearch.types import Ids, Vectors


class TrainedIndex:
    """A trained index over its mapped lists. Safe to search from several threads.

    Raises:
        IndexDamaged: a file is missing or unreadable.
    """

    def __init__(self, path: Path, lists: Path) -> None:
        self._index = read_index(path)
        self._lists = map_lists(lists)  # kept here, since FAISS only borrows it
        self._index.replace_invlists(self._lists, False)
        self._centroids: Vectors | None = None

    @property
    def list_count(self) -> int:
        """How many lists there are."""
        return int(self._index.nlist)

    def candidates(self, queries: Vectors, count: int, probes: int, allowed: Selection | None = None) -> Ids:
        """Ids that are likely nearest to each query, int64 [n, count], likeliest first; -1 where there are no more.

        `probes` lists are looked at, those whose centres are nearest.
        """
        parameters = faiss.SearchParametersIVF(nprobe=min(probes, self.list_count), **_selecting(allowed))
        with one_thread(len(queries) == 1):
            ids: Ids = self._index.search(np.ascontiguousarray(queries, np.float32), count, params=parameters)[1]
        return ids

    def candidates_in(self, query: Vectors, count: int, lists: Ids, allowed: Selection | None = None) -> Ids:
        """As `candidates`, for one query [1, dim] and the lists given (int64 [m], m > 0)."""
        query = np.ascontiguousarray(query, np.float32)
        wanted = np.ascontiguousarray(lists, np.int64)
        centres = np.ascontiguousarray(self._centres()[wanted] @ query[0])
        scores, ids = np.empty((1, count), np.float32), np.empty((1, count), np.int64)
        parameters = faiss.SearchParametersIVF(nprobe=len(wanted), **_selecting(allowed))
        pointers = [faiss.swig_ptr(array) for array in (wanted, centres, scores, ids)]
        # FAISS's own Python wrapper of this does not pass parameters on.
        with one_thread(True):
            self._index.search_preassigned_c(1, faiss.swig_ptr(query), count, *pointers, False, parameters)
        return ids

    def list_scores(self, query: Vectors) -> NDArray[np.float32]:
        """The inner product of one query [1, dim] with every list's centre, float32 [lists]."""
        scores: NDArray[np.float32] = self._centres() @ query[0]
        return scores

    def lists_by_id(self, below: int) -> NDArray[np.int32]:
        """The number of the list each id below `below` is in, int32; -1 for ids in none."""
        return lists_by_id(self._lists, below)

    def _centres(self) -> Vectors:
        if self._centroids is None:
            self._centroids = centroids_of(self._index.quantizer)
        return self._centroids


def _selecting(allowed: Selection | None) -> dict[str, object]:
    return {} if allowed is None else {"sel": allowed.selector}
