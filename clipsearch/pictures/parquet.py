"""Pictures inside Parquet files: which column holds them, and how one cell becomes bytes or a path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from clipsearch.errors import ShardDamaged, SourceError

PictureKind = Literal["bytes", "struct", "path"]

PICTURE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
        *(".heic", ".heif", ".avif", ".jp2", ".j2k", ".jpx", ".ppm", ".pgm", ".pbm", ".ico"),
    }
)
SHARD_SUFFIXES = frozenset({".parquet", ".pq"})

# The usual names of columns, the likeliest first.
_BYTES_NAMES = ("image", "img", "jpg", "jpeg", "png", "webp", "picture", "photo", "bytes", "content")
_PATH_NAMES = (
    *("image", "image_path", "img_path", "path", "file", "file_path", "filepath", "file_name", "filename"),
    *("image_file", "image_name", "img", "picture", "photo"),
)
_CAPTION_NAMES = (
    *("caption", "captions", "text", "description", "title", "alt", "alt_text", "prompt"),
    *("sentence", "sentences"),
)
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP", b"\xff\x4f\xff\x51")
_BUFFER = 1 << 20
_ROWS_LOOKED_AT = 1024


@dataclass(frozen=True, slots=True)
class ShardLayout:
    """Where a Parquet file keeps its pictures.

    `kind` says what the image column holds: bytes, a Hugging Face struct `{bytes, path}`, or a path relative to the
    Parquet file. `metadata` is the Arrow schema of every column that is no picture; a caption column stays in it unless
    it is plain text called `caption`. `group_rows` has the number of rows of each row group.
    """

    image_column: str
    kind: PictureKind
    caption_column: str | None
    metadata: pa.Schema
    group_rows: tuple[int, ...]


def inspect_shard(path: Path, *, image_column: str | None = None, caption_column: str | None = None) -> ShardLayout:
    """Find the columns of one Parquet file; the arguments override what would be detected.

    Raises `SourceError` if it is no Parquet file, has no such column, or none that holds pictures.
    """
    with open_shard(path) as file:
        schema = file.schema_arrow.remove_metadata()
        _check_names(schema.names, path, image_column, caption_column)
        detected = _picture_columns(file, schema)
        image = image_column or next(iter(detected), None)
        kind = _kind(schema.field(image).type) if image else None
        if image is None or kind is None:
            problem = f"column {image!r} holds no pictures" if image else "no column that holds pictures"
            raise SourceError(f"{path}: {problem}; name one with --image-column ({_listed(schema.names)}).")
        caption = caption_column or _caption_column(schema, image)
        pictures = {image, *(name for name in detected if _kind(schema.field(name).type) != "path")}
        return ShardLayout(image, kind, caption, _metadata(schema, pictures), tuple(_group_rows(file)))


@contextmanager
def open_shard(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file for streaming in little memory; any failure to read it becomes `ShardDamaged`."""
    try:
        # A buffered stream reads pages as they are needed; without it a whole column chunk is read at once.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ShardDamaged(f"{path} cannot be read as Parquet ({why}); copy or write it again.") from error


def picture_cells(column: pa.Array) -> list[bytes | str | None]:
    """The cells of an image column, one a row: bytes, or a path relative to the Parquet file, or None."""
    return [_cell(value) for value in column.to_pylist()]


def _cell(value: object) -> bytes | str | None:
    if isinstance(value, dict):
        return _cell(value["bytes"] if value["bytes"] is not None else value.get("path"))
    return value if isinstance(value, bytes | str) else None


def _kind(kind: pa.DataType) -> PictureKind | None:
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        return "struct" if _is_binary(kind.field("bytes").type) else None
    if _is_binary(kind):
        return "bytes"
    return "path" if _is_text(kind) else None


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _is_text(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value))


def _is_caption(kind: pa.DataType) -> bool:
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return _is_text(kind.value_type if listed else kind)


def _picture_columns(file: pq.ParquetFile, schema: pa.Schema) -> list[str]:
    """Columns that hold pictures, the likeliest first: structs, then bytes, then paths; among equals by usual names.

    A column counts when its first value looks like a picture. Where that is so for none (no rows, no values, a broken
    first picture), its name or type is enough.
    """
    kinds = {field.name: kind for field in schema if (kind := _kind(field.type))}
    ranked = [
        *_by_name([name for name, kind in kinds.items() if kind == "struct"], _BYTES_NAMES),
        *_by_name([name for name, kind in kinds.items() if kind == "bytes"], _BYTES_NAMES),
        *_named([name for name, kind in kinds.items() if kind == "path"], _PATH_NAMES),
    ]
    first = {name: _first_value(file, name) for name in ranked}
    usual = [name for name in ranked if kinds[name] != "bytes" or name.lower() in _BYTES_NAMES]
    looking = [name for name in ranked if _looks_like_picture(first[name])]
    return looking or [name for name in usual if not isinstance(first[name], str)]


def _first_value(file: pq.ParquetFile, column: str) -> bytes | str | None:
    seen = 0
    for batch in file.iter_batches(batch_size=16, columns=[column], use_threads=False):
        for cell in picture_cells(batch.column(column)):
            if cell is not None:
                return cell
        seen += len(batch)
        if seen >= _ROWS_LOOKED_AT:
            break
    return None


def _looks_like_picture(value: bytes | str | None) -> bool:
    if isinstance(value, bytes):
        return value.startswith(_MAGIC) or value[8:12] == b"WEBP" or value[4:8] == b"ftyp"
    return value is not None and "://" not in value and Path(value).suffix.lower() in PICTURE_SUFFIXES


def _caption_column(schema: pa.Schema, image: str) -> str | None:
    texts = [field.name for field in schema if field.name != image and _is_caption(field.type)]
    return next(iter(_named(texts, _CAPTION_NAMES)), None)


def _metadata(schema: pa.Schema, pictures: set[str]) -> pa.Schema:
    def is_metadata(field: pa.Field) -> bool:
        is_the_caption = field.name == "caption" and _is_text(field.type)
        return field.name not in pictures and not is_the_caption and not pa.types.is_null(field.type)

    return pa.schema([field.remove_metadata() for field in schema if is_metadata(field)])


def _group_rows(file: pq.ParquetFile) -> Iterator[int]:
    return (file.metadata.row_group(group).num_rows for group in range(file.num_row_groups))


def _by_name(names: Sequence[str], usual: Sequence[str]) -> list[str]:
    """Every name, those that are usual first and in the order of `usual`."""
    return sorted(names, key=lambda name: usual.index(name.lower()) if name.lower() in usual else len(usual))


def _named(names: Sequence[str], usual: Sequence[str]) -> list[str]:
    """The names that are usual, in the order of `usual`."""
    return _by_name([name for name in names if name.lower() in usual], usual)


def _check_names(names: Sequence[str], path: Path, image: str | None, caption: str | None) -> None:
    for option, name in (("--image-column", image), ("--caption-column", caption)):
        if name is not None and name not in names:
            raise SourceError(f"{path}: no column {name!r}; {option} takes one of {_listed(names)}.")
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise SourceError(f"{path}: two columns are called {repeated!r}; rename one of them.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "it has no columns"
