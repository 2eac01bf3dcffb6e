"""Where the pictures of an index are, so that they can be read again: files, and rows of Parquet files in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa

from clipsearch.errors import SourceError
from clipsearch.names import from_stored
from clipsearch.pictures.parquet import ShardLayout, open_shard
from clipsearch_indexer.candidates import Candidate
from clipsearch_indexer.sources.parquet import read_shard

_ROWS_AT_ONCE = 16


def candidates(rows: Iterable[Mapping[str, Any]], roots: Mapping[str, Path]) -> Iterator[Candidate]:
    """Stored pictures to look at again, in the order of `rows`, in which rows of one Parquet row group follow one
    another. One that is not there has no source."""
    for (root, shard, group), alike in groupby(rows, itemgetter("root", "shard", "row_group")):
        for is_file, some in groupby(alike, lambda row: row["file"] is not None):
            if is_file:
                yield from (_candidate(row, str(roots[root] / from_stored(row["file"]))) for row in some)
            else:
                yield from _in_shard(roots[root] / from_stored(shard), group, list(some))


def _in_shard(path: Path, group: int, rows: Sequence[Mapping[str, Any]]) -> Iterator[Candidate]:
    """Rows of one row group, read in one go up to the last."""
    wanted = iter(rows)
    row = next(wanted, None)
    try:
        for first, cells in _cells(path, rows[0]["image_column"], group, rows[0]["row"]):
            while row is not None and row["row"] < first + len(cells):
                cell = cells[row["row"] - first]
                yield _candidate(row, cell if isinstance(cell, bytes) else None)
                row = next(wanted, None)
            if row is None:
                return
    except SourceError:
        pass  # gone, or cut off: whoever indexes it hears why
    while row is not None:
        yield _candidate(row, None)
        row = next(wanted, None)


def _cells(path: Path, column: str, group: int, start: int) -> Iterator[tuple[int, list[bytes | str | None]]]:
    """Cells of an image column from a row of a row group to its end, in portions with the number of the first."""
    with open_shard(path) as file:
        if column not in file.schema_arrow.names:
            return
    layout = ShardLayout(column, "bytes", None, pa.schema([]), ())
    for rows in read_shard(path, layout, batch_rows=_ROWS_AT_ONCE, start=(group, start)):
        if rows.row_group != group:
            return
        yield rows.first_row, rows.pictures


def _candidate(row: Mapping[str, Any], source: str | bytes | None) -> Candidate:
    return Candidate(
        root=row["root"],
        path=row["path"],
        source=source,
        size=row["bytes"] or 0,
        mtime_ns=row["mtime_ns"],
        old_id=row["id"],
        old_hash=row["content_hash"],
    )
