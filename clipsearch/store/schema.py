"""The columns of a stored picture."""

from __future__ import annotations

from collections.abc import Iterable
from string import ascii_lowercase, ascii_uppercase

import pyarrow as pa

ROW_SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("root", pa.string()),
        ("path", pa.string()),
        ("file", pa.string()),
        ("shard", pa.string()),
        ("row_group", pa.int32()),
        ("row", pa.int32()),
        ("image_column", pa.string()),
        ("content_hash", pa.string()),
        ("bytes", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("format", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("sharpness", pa.float32()),
        ("exposure", pa.float32()),
        ("perceptual_hash", pa.int64()),
        ("taken_at", pa.timestamp("us")),
        ("camera", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("caption", pa.string()),
        ("indexed_at", pa.timestamp("us")),
    ]
)
"""Columns every row has, in `rows.parquet`; further columns of a Parquet source follow under their own names.

`path` names a picture within its root: the file's path, or `<shard>#<row group>/<row>`. `file` is the picture file,
null where the bytes lie inside Parquet; `shard`, `row_group` and `row` are null for a picture that is just a file;
`image_column` is the Parquet column with the bytes. `sharpness`, `exposure` and `perceptual_hash` say how a picture
looks (`clipsearch.pictures.perceptual`); they are null for rows that nobody looked at.
"""

REMOVAL_SCHEMA = pa.schema([("id", pa.int64()), ("root", pa.string()), ("path", pa.string())])
"""A row that went (`id`), or a recorded failure that no longer stands (`root` and `path`, no `id`)."""

FAILURE_SCHEMA = pa.schema(
    [
        ("root", pa.string()),
        ("path", pa.string()),
        ("reason", pa.string()),
        ("message", pa.string()),
        ("bytes", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("failed_at", pa.timestamp("us")),
    ]
)
"""A picture that could not be read, and why."""

STORED_COLUMNS = ("segment", "segment_offset")
"""Where a row's vector lies; added by the catalog."""

COMPUTED = "computed:"
"""What the catalog puts before the name of a computed column, so that no column of a source is taken for it."""

_FOLD = str.maketrans(ascii_uppercase, ascii_lowercase)

VIEWED = {"mtime": "make_timestamp(mtime_ns // 1000)", "megapixels": "(width::BIGINT * height / 1e6)::FLOAT"}
"""Columns that `images` has and no row: what they are made of, in SQL."""

# The last two are what reading a segment with DuckDB adds.
RESERVED = (
    {name.lower() for name in ROW_SCHEMA.names}
    | set(STORED_COLUMNS)
    | set(VIEWED)
    | {"file_row_number", "segment_file"}
)
"""Names that no column of a source and no computed column can have, in small letters."""


def folded(name: str) -> str:
    """A column name as DuckDB compares it: without regard to the case of the letters A to Z, and only of these."""
    return name.translate(_FOLD)


def own_names(names: Iterable[str]) -> list[str]:
    """Column names for a source's further columns: their own, but `source_<name>` where clipsearch has one so named.

    SQL does not tell upper from lower case, so `WIDTH` collides with `width`, and `A` with `a`.
    """
    taken = set(RESERVED)
    result = []
    for name in names:
        candidate = name if name.strip() else "column"
        if candidate.lower() in taken or candidate.lower().startswith(COMPUTED):
            candidate = f"source_{candidate}"
        stem, number = candidate, 2
        while candidate.lower() in taken:
            candidate, number = f"{stem}_{number}", number + 1
        taken.add(candidate.lower())
        result.append(candidate)
    return result
