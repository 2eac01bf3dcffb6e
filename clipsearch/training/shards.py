"""Pairs inside Parquet files: which there are, and the pictures themselves when their turn comes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from clipsearch.errors import PictureError, SourceError
from clipsearch.pictures.parquet import inspect_shard, open_shard, picture_cells
from clipsearch.pictures.paths import read_file
from clipsearch.training.captions import captions_of, split_of
from clipsearch.training.pairs import Cell, Pair

_NAMES = ("path", "file", "file_name", "filename", "filepath", "file_path", "image_path", "key", "id", "url")
_BYTES_HELD = 1 << 30


def shard_pairs(shard: Path, image_column: str | None, caption_column: str | None) -> Iterator[Pair]:
    """Yield the pairs of a Parquet file; its pictures are not read yet.

    Raises:
        SourceError: It cannot be read, or has no column of pictures or of captions.
    """
    layout = inspect_shard(shard, image_column=image_column, caption_column=caption_column)
    if layout.caption_column is None:
        raise SourceError(f"{shard}: no column that holds captions; name one with --caption-column.")
    with open_shard(shard) as file:
        names = file.schema_arrow.names
        naming = next((name for name in _NAMES if name in names and name != layout.image_column), None)
        columns = [name for name in (layout.caption_column, naming, "split" if "split" in names else None) if name]
        if layout.kind == "path":
            naming = layout.image_column
            columns.append(naming)
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, columns=columns).to_pylist()
            for number, row in enumerate(rows):
                captions, split = captions_of(row[layout.caption_column]), split_of(row.get("split"))
                if captions and split:
                    name = str(row[naming]) if naming else f"{shard}#{group}/{number}"
                    yield Pair(Cell(shard, group, number, layout.image_column), captions, name, split)


class Shards:
    """Reads pictures out of Parquet files by the row group, and keeps as many groups as fit into a gigabyte."""

    def __init__(self) -> None:
        self._groups: OrderedDict[tuple[Path, int], list[bytes | str | None]] = OrderedDict()
        self._lock = Lock()

    def read(self, cell: Cell) -> bytes:
        """The encoded bytes of a picture.

        Raises:
            PictureError: It is missing or cannot be read.
        """
        with self._lock:
            value = self._group(cell)[cell.row]
        if value is None:
            raise PictureError("missing", "The Parquet file has no picture in this row.")
        return value if isinstance(value, bytes) else read_file(cell.shard.parent / value)

    def _group(self, cell: Cell) -> list[bytes | str | None]:
        key = (cell.shard, cell.row_group)
        if key not in self._groups:
            try:
                with open_shard(cell.shard) as file:
                    column = file.read_row_group(cell.row_group, columns=[cell.column]).column(0)
                    self._groups[key] = [value for part in column.chunks for value in picture_cells(part)]
            except SourceError as error:
                raise PictureError("unreadable", str(error)) from error
            while len(self._groups) > 1 and sum(map(_size, self._groups.values())) > _BYTES_HELD:
                self._groups.popitem(last=False)
        self._groups.move_to_end(key)
        return self._groups[key]


def _size(cells: list[bytes | str | None]) -> int:
    return sum(len(cell) for cell in cells if cell)
