"""The one module that imports FAISS: the published inner-product index over unit vectors.

The index is exact and stores float16, the precision of the segments, so it agrees with them to the last bit at half
the size of float32. Readers map the file instead of reading it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import IndexDamaged
from clipsearch.store.segments import StoredVectors
from clipsearch.types import Vectors

Ids = NDArray[np.int64]

_BLOCK = 65536


def empty_index(dim: int) -> faiss.Index:
    """An index without vectors."""
    codes = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexIDMap(codes)


def _read(path: Path, flags: int = 0) -> faiss.Index:
    try:
        return faiss.read_index(str(path), flags)
    except RuntimeError:
        raise IndexDamaged(f"{path} cannot be read; run `clipsearch repair --index {path.parent}`.") from None


def write_ann(
    target: Path, base: Path | None, dim: int, removed: Ids, added: Iterable[tuple[Ids, StoredVectors]]
) -> int:
    """Write an index file: `base` (or nothing) without `removed` ids and with `added` ones.

    An id in both is replaced. Returns the number of vectors.

    Raises:
        IndexDamaged: `base` is missing or unreadable.
    """
    index = empty_index(dim) if base is None else _read(base)
    if len(removed) and index.ntotal:
        index.remove_ids(np.ascontiguousarray(removed, dtype=np.int64))
    for ids, vectors in added:
        for start in range(0, len(ids), _BLOCK):
            block = slice(start, start + _BLOCK)
            index.add_with_ids(np.asarray(vectors[block], dtype=np.float32), np.ascontiguousarray(ids[block]))
    faiss.write_index(index, str(target))
    return int(index.ntotal)


class AnnIndex:
    """A published FAISS index, opened for searching."""

    def __init__(self, path: Path) -> None:
        self._index = _read(path, faiss.IO_FLAG_MMAP_IFC)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def ids(self) -> Ids:
        """Ids in storage order, int64 [n]."""
        ids: Ids = faiss.vector_to_array(self._index.id_map)
        return ids

    def search(self, queries: Vectors, k: int, *, without: Sequence[int] = ()) -> tuple[Vectors, Ids]:
        """The `k` nearest of each query, best first: inner products float32 [n, k'] and ids int64 [n, k'], k' <= k.

        `without` names ids to leave out; the answer stays `k` long while there are others.
        """
        k = min(k, len(self))
        if k <= 0:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        parameters = None
        if without:
            unwanted = faiss.IDSelectorNot(faiss.IDSelectorBatch(np.asarray(without, dtype=np.int64)))
            parameters = faiss.SearchParameters(sel=unwanted)
        scores, ids = self._index.search(np.ascontiguousarray(queries, dtype=np.float32), k, params=parameters)
        filled = int((ids >= 0).all(axis=0).sum())
        return scores[:, :filled], ids[:, :filled]
