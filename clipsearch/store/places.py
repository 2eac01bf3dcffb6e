"""Where the vector of each id lies: a table from ids to segments and offsets, and reading vectors through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import IndexDamaged
from clipsearch.store.layout import Layout
from clipsearch.store.sql import literal
from clipsearch.store.vectors import load_vectors
from clipsearch.types import Ids, StoredVectors

if TYPE_CHECKING:
    from clipsearch.store.catalog import Catalog

_NOWHERE = -1
_OFFSET_BITS = 40
_OFFSET = (1 << _OFFSET_BITS) - 1
_BLOCK = 65536


def write_places(target: Path, catalog: Catalog, segments: Sequence[str], next_id: int) -> None:
    """Write the table of a version, int64 [next_id]: the number of the segment and the offset in it, or -1."""
    places = np.full(next_id, _NOWHERE, dtype=np.int64)
    names = ", ".join(literal(name) for name in segments)
    statement = f"SELECT id, list_position([{names}]::VARCHAR[], segment) - 1 AS number, segment_offset FROM pictures"
    for batch in catalog.arrow(statement):
        ids, numbers, offsets = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
        places[ids] = numbers.astype(np.int64) << _OFFSET_BITS | offsets
    with target.open("wb") as file:
        np.save(file, places)


class Places:
    """The table of a version, mapped, and the vectors of its segments.

    Raises:
        IndexDamaged: the file is missing or no such table.
    """

    def __init__(self, path: Path, layout: Layout, segments: Sequence[str], dim: int) -> None:
        self._layout, self._segments, self._dim = layout, segments, dim
        self._vectors: dict[int, StoredVectors] = {}
        try:
            self._table: Ids = np.load(path, mmap_mode="r").view(np.ndarray)
        except (OSError, ValueError, EOFError):
            raise IndexDamaged(f"{path} cannot be read; run `clipsearch repair --index {layout.path}`.") from None

    def exist(self, ids: Ids) -> NDArray[np.bool_]:
        """Which of the ids, int64 [n], belong to pictures of this version, bool [n]."""
        exist: NDArray[np.bool_] = (ids >= 0) & (ids < len(self._table))
        exist[exist] = self._table[ids[exist]] != _NOWHERE
        return exist

    def live(self) -> NDArray[np.bool_]:
        """For every id from 0 on, whether it belongs to a picture of this version, bool [next_id]."""
        alive: NDArray[np.bool_] = self._table != _NOWHERE
        return alive

    def ids(self, start: int = 0, stop: int | None = None) -> Ids:
        """Every id of this version from `start` to before `stop`, ascending."""
        return np.flatnonzero(self._table[start:stop] != _NOWHERE) + start

    def vectors_of(self, ids: Ids) -> StoredVectors:
        """Stored vectors of ids of this version, float16 [n, dim], in their order.

        Raises:
            IndexDamaged: a segment holds fewer than it should, here as in what follows.
        """
        order, vectors = self.as_stored(ids)
        found = np.empty_like(vectors)
        found[order] = vectors
        return found

    def as_stored(self, ids: Ids) -> tuple[Ids, StoredVectors]:
        """The order in which ids of this version lie on the disk, int64 [n], and their vectors in that order, which is
        quicker than in another."""
        places = self._table[ids]
        order = np.argsort(places)
        return order, self._read(places[order])

    def blocks(self, ids: Ids) -> Iterator[tuple[Ids, StoredVectors]]:
        """Ids of this version in the order they lie on the disk, with their vectors, in portions."""
        places = self._table[ids]
        order = np.argsort(places, kind="stable")
        for start in range(0, len(order), _BLOCK):
            block = order[start : start + _BLOCK]
            yield ids[block], self._read(places[block])

    def _read(self, places: Ids) -> StoredVectors:
        """The vectors at ascending places: one segment after the other."""
        numbers, offsets = places >> _OFFSET_BITS, places & _OFFSET
        found = np.empty((len(places), self._dim), dtype=np.float16)
        borders = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(places)]
        for first, end in pairwise(borders if len(places) else ()):
            vectors = self._segment(int(numbers[first]))
            if offsets[end - 1] >= len(vectors):
                raise IndexDamaged(
                    f"{self._layout.path} lacks vectors of some pictures; run `clipsearch repair --index "
                    f"{self._layout.path}`."
                )
            # NumPy's own check of the offsets would have it copy twice.
            np.take(vectors, offsets[first:end], axis=0, out=found[first:end], mode="clip")
        return found

    def _segment(self, number: int) -> StoredVectors:
        if number not in self._vectors:
            # A plain view, since indexing NumPy's memmap class is several times slower.
            self._vectors[number] = load_vectors(self._layout, self._segments[number]).view(np.ndarray)
        return self._vectors[number]
