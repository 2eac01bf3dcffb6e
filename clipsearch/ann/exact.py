"""Exact search over float16 vectors.

Float16 is the precision of the segments, so scores agree with them to the last bit at half the size of float32.
Readers map the file instead of reading it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from clipsearch.ann.files import read_index
from clipsearch.ann.gpu import knn
from clipsearch.ann.selection import Selection
from clipsearch.ann.threads import LITTLE, one_thread
from clipsearch.types import Ids, StoredVectors, Vectors

_BLOCK = 65536

_MANY = 16
"""From so many queries on, decoding vectors once for all of them is quicker than anew for each."""


def flat_index(dim: int) -> Any:
    """An empty FAISS index that looks at every vector, held in float16."""
    return faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)


def decoded(vectors: StoredVectors) -> Vectors:
    """Float16 vectors [n, dim] as float32; FAISS's decoder is quicker than NumPy's."""
    codes = np.ascontiguousarray(vectors, dtype=np.float16).view(np.uint8)
    values: Vectors = faiss.ScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_fp16).decode(codes)
    return values


def nearest_rows(queries: Vectors, vectors: StoredVectors, k: int) -> tuple[Vectors, Ids]:
    """The `k` of `vectors`, float16 [m, dim], nearest to each query: inner products float32 [n, k'] and row numbers
    int64 [n, k'], best first, k' = min(k, m).

    FAISS decodes and multiplies in one go, several times faster than converting with NumPy first.
    """
    index = flat_index(vectors.shape[1])
    codes = np.ascontiguousarray(vectors, dtype=np.float16).view(np.uint8)
    if len(codes):
        index.add_sa_codes(codes)
    with one_thread(len(queries) * len(vectors) <= LITTLE):
        scores, rows = index.search(np.ascontiguousarray(queries, dtype=np.float32), max(1, min(k, len(vectors))))
    return scores[:, : len(vectors)], rows[:, : len(vectors)]


def nearest_of_all(queries: Vectors, blocks: Iterable[tuple[Ids, StoredVectors]], k: int) -> tuple[Vectors, Ids]:
    """The `k` nearest to each query of many vectors that come in blocks: inner products float32 [n, k'] and ids
    int64 [n, k'], best first."""
    scores, ids = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
    for block, vectors in blocks:
        found, rows = knn(queries, decoded(vectors), min(k, len(block)))
        scores, ids = best_of(np.hstack([scores, found]), np.hstack([ids, block[rows]]), k)
    return scores, ids


def best_of(scores: Vectors, ids: Ids, k: int) -> tuple[Vectors, Ids]:
    """The `k` best of each row of scores [n, m] with their ids, best first."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1)


def write_exact(
    target: Path, base: Path | None, dim: int, removed: Ids, added: Iterable[tuple[Ids, StoredVectors]]
) -> int:
    """Write an index file: `base` (or nothing) without `removed` ids and with `added` ones.

    An id in both is replaced. Returns the number of vectors.

    Raises:
        IndexDamaged: `base` is missing or unreadable.
    """
    index = faiss.IndexIDMap(flat_index(dim)) if base is None else read_index(base)
    if len(removed) and index.ntotal:
        index.remove_ids(np.ascontiguousarray(removed, dtype=np.int64))
    for ids, vectors in added:
        for start in range(0, len(ids), _BLOCK):
            block = slice(start, start + _BLOCK)
            index.add_with_ids(np.asarray(vectors[block], dtype=np.float32), np.ascontiguousarray(ids[block]))
    faiss.write_index(index, str(target))
    return int(index.ntotal)


class ExactIndex:
    """An exact index, opened for searching.

    Raises:
        IndexDamaged: the file is missing or unreadable.
    """

    def __init__(self, path: Path) -> None:
        self._index = read_index(path, faiss.IO_FLAG_MMAP_IFC)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def ids(self) -> Ids:
        """Ids in storage order, int64 [n]."""
        ids: Ids = faiss.vector_to_array(self._index.id_map)
        return ids

    def _blocks(self) -> Iterator[tuple[Ids, StoredVectors]]:
        flat, ids = faiss.downcast_index(self._index.index), self.ids
        codes = faiss.rev_swig_ptr(flat.codes.data(), len(self) * 2 * flat.d)
        vectors: StoredVectors = codes.view(np.float16).reshape(len(self), flat.d)
        for start in range(0, len(self), _BLOCK):
            yield ids[start : start + _BLOCK], vectors[start : start + _BLOCK]

    def search(self, queries: Vectors, k: int, allowed: Selection | None = None) -> tuple[Vectors, Ids]:
        """The `k` nearest of each query, best first: inner products float32 [n, k'] and ids int64 [n, k'].

        With `allowed`, only these ids; k' is k, or the number of vectors there are to return.
        """
        k = min(k, len(self))
        if k <= 0:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        if len(queries) >= _MANY and allowed is None:
            return nearest_of_all(np.ascontiguousarray(queries, dtype=np.float32), self._blocks(), k)
        parameters = faiss.SearchParameters(sel=allowed.selector) if allowed is not None else None
        with one_thread(len(queries) * len(self) <= LITTLE):
            scores, ids = self._index.search(np.ascontiguousarray(queries, dtype=np.float32), k, params=parameters)
        filled = int((ids >= 0).all(axis=0).sum())
        return scores[:, :filled], ids[:, :filled]
