"""Segments: immutable runs of rows with their vectors, the log everything else is derived from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clipsearch.errors import IndexDamaged
from clipsearch.store.layout import Layout, checksum, fsync_file, fsync_folder
from clipsearch.store.manifest import ModelRef, Root, SegmentRef
from clipsearch.store.schema import FAILURE_SCHEMA, REMOVAL_SCHEMA
from clipsearch.store.vectors import VECTORS
from clipsearch.types import StoredVectors

ROWS, REMOVALS, FAILURES, RECORD = (
    "rows.parquet",
    "removals.parquet",
    "failures.parquet",
    "segment.json",
)


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """`segment.json`: the segment, the model its vectors come from, and the roots its paths are relative to."""

    segment: SegmentRef
    model: ModelRef
    roots: tuple[Root, ...]
    next_id: int


class SegmentDraft:
    """A segment being written: several chunks of rows and vectors, then `commit`, which makes it appear as a whole.

    Vectors are appended to the `.npy` as they come, so memory holds one chunk however large the segment is.
    """

    def __init__(self, layout: Layout, first: int, last: int, dim: int) -> None:
        self._layout, self._first, self._last, self._dim = layout, first, last, dim
        self._folder = layout.tmp / f"{first:08d}-{last:08d}"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._vectors = (self._folder / VECTORS).open("wb")
        self._write_header(0)
        self._writer: Any = None
        self._rows = 0

    def _write_header(self, rows: int) -> None:
        """A version 1.0 `.npy` header leaves room to grow the row count in place (NumPy's format specification)."""
        self._vectors.seek(0)
        description = {"descr": "<f2", "fortran_order": False, "shape": (rows, self._dim)}
        np.lib.format.write_array_header_1_0(self._vectors, description)

    def append(self, rows: pa.Table, vectors: StoredVectors) -> None:
        """Add rows [n] with their vectors, float16 [n, dim]. Every chunk has the same columns."""
        if rows.num_rows != len(vectors):
            raise ValueError(f"{rows.num_rows} rows but {len(vectors)} vectors")
        if rows.num_rows == 0:
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._folder / ROWS, rows.schema, compression="zstd")
        self._writer.write_table(rows)
        self._vectors.write(np.ascontiguousarray(vectors, dtype="<f2").tobytes())
        self._rows += rows.num_rows

    def commit(
        self,
        removals: pa.Table,
        failures: pa.Table,
        *,
        model: ModelRef,
        roots: Sequence[Root],
        next_id: int,
        empty_schema: pa.Schema,
    ) -> SegmentRef:
        """Finish the files, record counts and checksums, force all to the disk and rename into place."""
        self._write_header(self._rows)
        self._vectors.close()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._folder / ROWS, empty_schema)
        self._writer.close()
        for name, table in ((REMOVALS, removals), (FAILURES, failures)):
            pq.write_table(table, self._folder / name)
        names = (VECTORS, ROWS, REMOVALS, FAILURES)
        segment = SegmentRef(
            first=self._first,
            last=self._last,
            rows=self._rows,
            removals=removals.num_rows,
            failures=failures.num_rows,
            checksums={name: checksum(self._folder / name) for name in names},
        )
        record = SegmentRecord(segment, model, tuple(roots), next_id)
        (self._folder / RECORD).write_text(json.dumps(asdict(record), indent=1) + "\n")
        for name in (*names, RECORD):
            fsync_file(self._folder / name)
        fsync_folder(self._folder)
        self._layout.segments.mkdir(exist_ok=True)
        remove_segment(self._layout, segment.name)  # left by a run that ended before it published
        self._folder.replace(self._layout.segments / segment.name)
        fsync_folder(self._layout.segments)
        return segment

    def discard(self) -> None:
        """Drop what was written."""
        self._vectors.close()
        if self._writer is not None:
            self._writer.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def read_record(folder: Path) -> SegmentRecord:
    """Read `segment.json`.

    Raises:
        IndexDamaged: it is missing or unreadable.
    """
    try:
        return msgspec.convert(json.loads((folder / RECORD).read_bytes()), SegmentRecord)
    except (OSError, ValueError, msgspec.ValidationError):
        raise IndexDamaged(
            f"{folder} has no readable {RECORD}; run `clipsearch repair --index {folder.parent.parent}`."
        ) from None


def complete_segments(layout: Layout) -> list[SegmentRecord]:
    """Records of every segment on disk, in log order. A segment is renamed into place, so each is complete.

    Raises:
        IndexDamaged: a record cannot be read.
    """
    if not layout.segments.is_dir():
        return []
    folders = sorted(path for path in layout.segments.iterdir() if path.is_dir() and not path.name.startswith("."))
    return [read_record(folder) for folder in folders]


def remove_segment(layout: Layout, name: str) -> None:
    """Delete a segment, if it is there. It leaves the log in one step, so a crash never leaves half of one behind."""
    layout.tmp.mkdir(parents=True, exist_ok=True)
    grave = layout.tmp / f"{name}.removed"
    shutil.rmtree(grave, ignore_errors=True)
    with suppress(OSError):  # absent; or, on Windows, still open somewhere: the next publish tries again
        (layout.segments / name).rename(grave)
    shutil.rmtree(grave, ignore_errors=True)


def outermost(records: Iterable[SegmentRecord]) -> list[SegmentRecord]:
    """Records in log order without those whose batches a merged segment holds already."""
    kept: list[SegmentRecord] = []
    for record in sorted(records, key=lambda r: (r.segment.first, -r.segment.last)):
        if not kept or record.segment.last > kept[-1].segment.last:
            kept.append(record)
    return kept


def damage(layout: Layout, segment: SegmentRef) -> list[str]:
    """What is wrong with a segment's files, a sentence each; empty when each matches its checksum."""
    found = []
    for name, expected in segment.checksums.items():
        path = layout.segments / segment.name / name
        try:
            if checksum(path) != expected:
                found.append(f"{path} does not match its checksum.")
        except OSError as error:
            found.append(f"{path} cannot be read ({error.strerror}).")
    return found


def removals_of(ids: Iterable[int] = (), forgotten: Iterable[tuple[str, str]] = ()) -> pa.Table:
    """A removals table: row ids to drop, and (root, path) of failures to forget."""
    dropped: list[dict[str, Any]] = [{"id": row_id, "root": None, "path": None} for row_id in ids]
    rows = dropped + [{"id": None, "root": root, "path": path} for root, path in forgotten]
    return pa.Table.from_pylist(rows, schema=REMOVAL_SCHEMA)


def failures_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """A failures table from dictionaries with the columns of `FAILURE_SCHEMA`."""
    return pa.Table.from_pylist(list(rows), schema=FAILURE_SCHEMA)
