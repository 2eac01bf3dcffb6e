"""Parquet files streamed in small batches, so that memory grows neither with a file nor with its row groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from clipsearch.pictures.parquet import ShardLayout, inspect_shard, open_shard, picture_cells

__all__ = ["ShardLayout", "ShardRows", "inspect_shard", "read_shard"]


@dataclass(frozen=True, slots=True)
class ShardRows:
    """Consecutive rows of one row group.

    `first_row` counts within the row group. `pictures` and `captions` have one entry a row: a picture is its bytes, a
    path relative to the Parquet file, or None. `columns` is an Arrow record batch of the metadata columns.
    """

    row_group: int
    first_row: int
    pictures: list[bytes | str | None]
    captions: list[str | None]
    columns: pa.RecordBatch


def read_shard(
    path: Path, layout: ShardLayout, *, batch_rows: int, start: tuple[int, int] = (0, 0)
) -> Iterator[ShardRows]:
    """Yield the rows of a Parquet file in order, at most `batch_rows` at a time, never across row groups.

    Memory holds one batch and about two data pages of the image column, whatever the size of the row groups; how many
    rows a page has was decided by whoever wrote the file (1,024 where Arrow was not told otherwise).

    `start` is the (row group, row within it) to begin with. Raises `SourceError` where the file turns out damaged.
    """
    names = dict.fromkeys([layout.image_column, layout.caption_column, *layout.metadata.names])
    columns = [name for name in names if name is not None]
    with open_shard(path) as file:
        for group in range(start[0], file.num_row_groups):
            skipped = start[1] if group == start[0] else 0
            first = 0
            for batch in file.iter_batches(batch_rows, [group], columns, use_threads=False):
                wanted = batch.slice(max(0, skipped - first))
                first += len(batch)
                if len(wanted):
                    yield _rows(wanted, layout, group, first - len(wanted))


def _rows(batch: pa.RecordBatch, layout: ShardLayout, group: int, first: int) -> ShardRows:
    captions = batch.column(layout.caption_column).to_pylist() if layout.caption_column else [None] * len(batch)
    return ShardRows(
        row_group=group,
        first_row=first,
        pictures=picture_cells(batch.column(layout.image_column)),
        captions=[_caption(value) for value in captions],
        columns=batch.select(layout.metadata.names),
    )


def _caption(value: object) -> str | None:
    """A caption is text, or the first text of a list of alternatives."""
    if isinstance(value, list):
        return next((caption for one in value if (caption := _caption(one))), None)
    return value.strip() or None if isinstance(value, str) else None
