"""The bytes of one picture, read again from where the index says it is."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from clipsearch.errors import PictureError, SourceError
from clipsearch.names import from_stored
from clipsearch.pictures.parquet import inspect_shard, open_shard, picture_cells
from clipsearch.pictures.paths import read_file

_ROWS_AT_ONCE = 16


def picture_bytes(
    root: Path,
    *,
    file: str | None = None,
    shard: str | None = None,
    row_group: int | None = None,
    row: int | None = None,
    image_column: str | None = None,
) -> bytes:
    """Read the encoded bytes of a stored picture.

    Give either `file`, or `shard` with `row_group` and the `row` within it; paths are stored ones, relative to `root`.
    Of a Parquet file only that row group's image column is read, and only up to the row; `image_column` saves finding
    it again. Raises `PictureError` ("missing" or "unreadable").
    """
    if shard is None:
        return read_file(root / from_stored(file or ""))
    path = root / from_stored(shard)
    if not path.is_file():
        raise PictureError("missing", "The Parquet file is no longer there; index its folder again.")
    try:
        column = image_column or inspect_shard(path).image_column
        with open_shard(path) as opened:
            cell = _cell(opened, column, row_group or 0, row or 0)
    except SourceError as error:
        raise PictureError("unreadable", str(error)) from error
    return cell if isinstance(cell, bytes) else read_file(path.parent / cell)


def _cell(file: pq.ParquetFile, column: str, row_group: int, row: int) -> bytes | str:
    cell = None
    if column in file.schema_arrow.names and 0 <= row_group < file.num_row_groups:
        first = 0
        for batch in file.iter_batches(_ROWS_AT_ONCE, [row_group], [column], use_threads=False):
            if row < first + len(batch):
                [cell] = picture_cells(batch.column(column).slice(row - first, 1))
                break
            first += len(batch)
    if cell is None:
        raise PictureError("missing", "The Parquet file no longer holds this picture; index it again.")
    return cell
