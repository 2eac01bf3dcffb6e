"""Imported vectors' rows of the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from clipsearch.store.schema import ROW_SCHEMA, own_names
from clipsearch_indexer.vectors.columns import Columns
from clipsearch_indexer.vectors.look import Looked

ABSENT = "absent"
"""The column that says of an imported row whether its picture was not found."""

_FACTS = ("format", "width", "height", "taken_at", "camera", "latitude", "longitude")
"""What a table may say of a picture that is not here to say so itself."""


def rows_of(looked: Sequence[Looked], ids: Sequence[int], columns: Columns, table: pa.Table) -> pa.Table:
    """Rows [n] for `IndexWriter.append`: of pictures as far as they were seen, else as `table` [n] describes them.

    A table's own caption goes before the picture's; its further columns follow under their own names.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = pa.Table.from_pylist(
        [_row(one, number, now) for one, number in zip(looked, ids, strict=True)], schema=ROW_SCHEMA
    )
    rows = _set(rows, "caption", table, columns.caption, first=True)
    told = [name for name in _FACTS if name in columns.further and _fits(table.schema.field(name).type, name)]
    for name in told:
        rows = _set(rows, name, table, name, first=False)
    further = [name for name in columns.further if name not in told]
    absent = pa.array([one.seen is None for one in looked], pa.bool_())
    values = [absent, *(table[name] for name in further)]
    for name, column in zip(own_names([ABSENT, *further]), values, strict=True):
        rows = rows.append_column(name, column)
    return rows


def _row(looked: Looked, number: int, now: datetime) -> dict[str, Any]:
    place, seen = looked.place, looked.seen
    row = {"id": number, "root": looked.new.root, "indexed_at": now}
    row |= {"path": place.path, "file": place.file}
    row |= {"shard": place.shard, "row_group": place.row_group, "row": place.row}
    if seen is None:
        return row
    row |= {"bytes": seen.bytes, "mtime_ns": seen.mtime_ns, "content_hash": seen.content_hash}
    return row | {"image_column": seen.image_column} | asdict(seen.facts) | asdict(seen.looks)


def _fits(kind: pa.DataType, fact: str) -> bool:
    """Whether a table's column can say the same as ours of that name."""
    wanted = ROW_SCHEMA.field(fact).type
    alike = (pa.types.is_integer, pa.types.is_floating, pa.types.is_string, pa.types.is_timestamp)
    return any(is_so(kind) and is_so(wanted) for is_so in alike)


def _set(rows: pa.Table, name: str, table: pa.Table, source: str | None, *, first: bool) -> pa.Table:
    """Fill a column of ours from one of the table: where the table has a value (`first`), or where ours has none."""
    if source is None:
        return rows
    kind = ROW_SCHEMA.field(name).type
    given = _text(table[source]) if pa.types.is_string(kind) else table[source].cast(kind, safe=False)
    ours = rows[name]
    filled = pc.coalesce(given, ours) if first else pc.coalesce(ours, given)
    return rows.set_column(rows.column_names.index(name), ROW_SCHEMA.field(name), filled)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts, empty ones as none."""
    texts = column.cast(pa.string())
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(texts), ""), None, texts)
