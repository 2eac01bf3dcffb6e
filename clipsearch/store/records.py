"""Metadata by id: the rows of the catalog's `images` once more, in Arrow files that readers map.

DuckDB is made for scans; ten rows by their ids cost it ten milliseconds, and a process that only wants those has to
open the whole database. From a mapped file they take a fraction of one.

Files are never changed. A version adds one with the rows that are new or different, until there are too many or too
much in them is out of date; then everything is written anew. An id's row is in the newest file that has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clipsearch.errors import IndexDamaged
from clipsearch.types import Ids

if TYPE_CHECKING:
    from clipsearch.store.catalog import Catalog

_BATCH = 65_536
"""Rows read and written at a time."""

_SLICED = 64
"""Rows up to which they are cut out one by one: quicker than PyArrow's `take`, whose module takes long to load."""

_FEW = 4096
"""Rows up to which all are written anew: one file is opened sooner than several."""

_MOST_FILES = 16
_STALE = 1.25
"""Rows in all files for each picture there is; beyond this too many belong to pictures that changed or are gone."""


def suffices(old: Records, schema: pa.Schema, *, rows: int, added: int) -> bool:
    """Whether one more file with `added` rows will do, for a version of `rows` pictures with these columns."""
    if rows <= _FEW or not old.stored or len(old.files) >= _MOST_FILES:
        return False
    return old.schema.equals(schema) and old.stored >= rows - added and old.stored + added <= _STALE * rows


def write_all(target: Path, catalog: Catalog, next_id: int) -> None:
    """Write every row of the catalog."""
    ranges = ((start, min(start + _BATCH, next_id)) for start in range(0, next_id, _BATCH))
    _write(target, (catalog.between(start, stop) for start, stop in ranges), catalog.schema)


def write_some(target: Path, catalog: Catalog, ids: Ids) -> None:
    """Write the rows of these ids."""
    ids = np.sort(ids)
    blocks = (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))
    _write(target, (catalog.columns(block) for block in blocks), catalog.schema)


def _write(target: Path, tables: Iterator[pa.Table], schema: pa.Schema) -> None:
    with pa.OSFile(str(target), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for table in tables:
            # One batch a table: each is looked for by its first id.
            for batch in table.combine_chunks().to_batches():
                writer.write_batch(batch)


@dataclass(frozen=True, slots=True)
class _File:
    """A mapped file: its columns, its batches, the ids in each, ascending, and the first id of each batch."""

    schema: pa.Schema
    batches: tuple[pa.RecordBatch, ...]
    ids: tuple[Ids, ...]
    firsts: Ids


class Records:
    """Rows by id, from files of which the newest is the last. Safe to use from several threads.

    Raises:
        IndexDamaged: a file is missing or unreadable.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = tuple(files)
        self._opened = [_opened(path) for path in self.files]

    @property
    def schema(self) -> pa.Schema:
        """The columns of `images`; there must be a file."""
        return self._opened[-1].schema

    @property
    def stored(self) -> int:
        """Rows in all files, those out of date included."""
        return sum(len(ids) for file in self._opened for ids in file.ids)

    def of(self, ids: Sequence[int] | Ids) -> pa.Table:
        """The rows of pictures of this version, in the order of their ids.

        Raises:
            IndexDamaged: one is not there.
        """
        wanted = np.asarray(ids, np.int64).reshape(-1)
        numbers, rows = self._find(wanted)
        if (numbers < 0).any():
            folder = self.files[0].parent if self.files else Path()
            raise IndexDamaged(f"{folder} lacks metadata of some pictures; run `clipsearch repair --index {folder}`.")
        batches = [batch for file in self._opened for batch in file.batches]
        if 0 < len(wanted) <= _SLICED:
            places = zip(numbers.tolist(), rows.tolist(), strict=True)
            return pa.Table.from_batches([batches[number].slice(row, 1) for number, row in places]).combine_chunks()
        order = np.argsort(numbers, kind="stable")
        present, starts = np.unique(numbers[order], return_index=True)
        parts = [
            rows_at(pa.Table.from_batches([batches[number]]), some)
            for number, some in zip(present.tolist(), np.split(rows[order], starts[1:]), strict=False)
        ]
        if not parts:
            return self.schema.empty_table()
        back = np.empty(len(order), np.intp)
        back[order] = np.arange(len(order))
        return rows_at(pa.concat_tables(parts).combine_chunks(), back)

    def has(self, ids: Ids) -> NDArray[np.bool_]:
        """Which of the ids have a row in some file, bool [n]."""
        found: NDArray[np.bool_] = self._find(ids)[0] >= 0
        return found

    def _find(self, wanted: Ids) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each id the number of its batch, counted through all files, and its row in that; -1 where there is none.

        Later files overwrite what earlier ones said.
        """
        numbers, rows = np.full(len(wanted), -1), np.full(len(wanted), -1)
        before = 0
        for file in self._opened:
            inside = np.searchsorted(file.firsts, wanted, side="right") - 1
            for number in np.flatnonzero(np.bincount(inside + 1)[1:]).tolist():
                here = np.flatnonzero(inside == number)
                ids = file.ids[number]
                row = np.searchsorted(ids, wanted[here])
                hit = ids[np.minimum(row, len(ids) - 1)] == wanted[here]
                numbers[here[hit]], rows[here[hit]] = before + number, row[hit]
            before += len(file.batches)
        return numbers, rows


def _opened(path: Path) -> _File:
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        batches = tuple(reader.get_batch(number) for number in range(reader.num_record_batches))
        batches = tuple(batch for batch in batches if batch.num_rows)
        ids = tuple(np.frombuffer(batch.column("id").buffers()[1], np.int64, batch.num_rows) for batch in batches)
    except (OSError, pa.ArrowInvalid, KeyError):
        raise IndexDamaged(f"{path} cannot be read; run `clipsearch repair --index {path.parent}`.") from None
    return _File(reader.schema, batches, ids, np.array([some[0] for some in ids], np.int64))


def rows_at(table: pa.Table, places: NDArray[np.intp]) -> pa.Table:
    """The rows of a table at these places, in their order."""
    if len(places) and (places == np.arange(places[0], places[0] + len(places))).all():
        return table.slice(int(places[0]), len(places))  # which loads nothing further of pyarrow
    # From the bare numbers: to make an array of anything else pyarrow imports pandas, which takes longer than a search.
    numbers = np.ascontiguousarray(places, np.int64)
    return table.take(pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)]))
