"""The published metadata: one DuckDB file a version, derived from segments.

Tables: `pictures` (one row a picture), `failures`. Views for people: `images` (the main one).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clipsearch.store.computed_catalog import apply_computed, define_images
from clipsearch.store.duck import (
    Connection,
    DatabaseError,
    close_reader,
    ids_where,
    open_reader,
    open_writer,
    reading_cursor,
    select,
    select_once,
    stream,
)
from clipsearch.store.layout import Layout
from clipsearch.store.manifest import ComputedRef
from clipsearch.store.records import rows_at
from clipsearch.store.schema import folded
from clipsearch.store.segments import FAILURES, REMOVALS, ROWS
from clipsearch.store.sql import quote
from clipsearch.types import Ids

# Below this many ids a literal IN list on the primary key is quicker than joining a table of ids.
_JOIN_FROM = 500

_CREATE = """
CREATE TABLE pictures (
    id BIGINT PRIMARY KEY, root VARCHAR, path VARCHAR, file VARCHAR, shard VARCHAR, row_group INTEGER, row INTEGER,
    image_column VARCHAR, content_hash VARCHAR, bytes BIGINT, mtime_ns BIGINT, format VARCHAR, width INTEGER,
    height INTEGER, sharpness FLOAT, exposure FLOAT, perceptual_hash BIGINT, taken_at TIMESTAMP, camera VARCHAR,
    latitude DOUBLE, longitude DOUBLE, caption VARCHAR, indexed_at TIMESTAMP, segment VARCHAR, segment_offset BIGINT
);
CREATE TABLE failures (
    root VARCHAR, path VARCHAR, reason VARCHAR, message VARCHAR, bytes BIGINT, mtime_ns BIGINT, failed_at TIMESTAMP
);
"""


def build_catalog(
    target: Path,
    base: Path | None,
    layout: Layout,
    fresh: Sequence[str],
    moved: Sequence[str],
    computed: Sequence[ComputedRef] = (),
    computed_before: Sequence[ComputedRef] = (),
) -> tuple[int, int]:
    """Write a catalog: a copy of `base` (or an empty one) with `fresh` segments applied in log order.

    `moved` are merged segments whose rows `base` holds already and whose vectors now lie elsewhere; `computed` are the
    sets of computed columns it is to have, `computed_before` those that `base` has.
    Returns the numbers of pictures and failures.
    """
    target.unlink(missing_ok=True)
    if base is not None:
        shutil.copyfile(base, target)
    with open_writer(target) as db:
        if base is None:
            db.execute(_CREATE)
        if moved:
            _move(db, layout, moved)
        if fresh:
            _apply(db, layout, fresh)
        if base is None:
            _keep_newest(db)
        apply_computed(db, layout.path, computed, computed_before, fresh)
        define_images(db, computed)
        db.execute("CHECKPOINT")
        [(rows, failures)] = db.execute(
            "SELECT (SELECT count(*) FROM pictures), (SELECT count(*) FROM failures)"
        ).fetchall()
    return rows, failures


def _files(layout: Layout, segments: Sequence[str], name: str) -> list[str]:
    return [str(layout.segments / segment / name) for segment in segments]


def _move(db: Connection, layout: Layout, segments: Sequence[str]) -> None:
    db.execute(
        """
        UPDATE pictures SET segment = moved.segment, segment_offset = moved.file_row_number
        FROM (SELECT id, file_row_number, parse_path(segment_file)[-2] AS segment
              FROM read_parquet($files, filename = 'segment_file', file_row_number = true)) AS moved
        WHERE pictures.id = moved.id
        """,
        {"files": _files(layout, segments, ROWS)},
    )


def _apply(db: Connection, layout: Layout, segments: Sequence[str]) -> None:
    """Apply rows, removals and failures. An id's newest row wins; a removal is for good, since ids are not reused."""
    _stage(db, layout, segments)
    _add_columns(db, "pictures", "fresh")
    db.execute(
        "DELETE FROM pictures WHERE id IN (SELECT id FROM fresh UNION ALL SELECT id FROM removed WHERE id IS NOT NULL)"
    )
    db.execute(
        """
        INSERT INTO pictures BY NAME
        SELECT * FROM fresh WHERE id NOT IN (SELECT id FROM removed WHERE id IS NOT NULL)
        QUALIFY row_number() OVER (PARTITION BY id ORDER BY segment DESC, segment_offset DESC) = 1
        ORDER BY segment, segment_offset
        """
    )
    _apply_failures(db)
    for table in ("fresh", "removed", "failed"):
        db.execute(f"DROP TABLE {table}")


def _keep_newest(db: Connection) -> None:
    """Of two rows of one path keep the newer; only a log that lost the segment between them has such rows."""
    db.execute(
        """
        DELETE FROM pictures WHERE id IN (
            SELECT id FROM pictures
            QUALIFY row_number() OVER (PARTITION BY root, path ORDER BY segment DESC, segment_offset DESC) > 1)
        """
    )


def _stage(db: Connection, layout: Layout, segments: Sequence[str]) -> None:
    """Read the segments' files into temporary tables, each row with the segment it came from."""
    alike = _by_schema(layout, segments)
    _read(db, "fresh", alike[0], ", file_row_number AS segment_offset")
    for files in alike[1:]:
        _read(db, "more", files, ", file_row_number AS segment_offset")
        _add_columns(db, "fresh", "more")
        db.execute("INSERT INTO fresh BY NAME SELECT * FROM more")
        db.execute("DROP TABLE more")
    _read(db, "removed", _files(layout, segments, REMOVALS))
    _read(db, "failed", _files(layout, segments, FAILURES))


def _by_schema(layout: Layout, segments: Sequence[str]) -> list[list[str]]:
    """The segments' row files, those with the same columns together: DuckDB reads only such ones in one go."""
    alike: dict[str, list[str]] = {}
    for file in _files(layout, segments, ROWS):
        alike.setdefault(pq.read_schema(file).to_string(), []).append(file)
    return list(alike.values())


def _read(db: Connection, table: str, files: Sequence[str], offset: str = "") -> None:
    db.execute(
        f"CREATE TEMP TABLE {table} AS SELECT * EXCLUDE (segment_file, file_row_number), "
        f"parse_path(segment_file)[-2] AS segment{offset} "
        "FROM read_parquet($files, filename = 'segment_file', file_row_number = true)",
        {"files": files},
    )


def _add_columns(db: Connection, target: str, source: str) -> None:
    """Give one table every column of the other, widening a type where they disagree."""
    known = {folded(name): kind for name, kind, *_ in db.execute(f"DESCRIBE {target}").fetchall()}
    for name, kind, *_ in db.execute(f"DESCRIBE {source}").fetchall():
        have = known.get(folded(name))
        quoted = quote(name)
        if have is None:
            db.execute(f"ALTER TABLE {target} ADD COLUMN {quoted} {kind}")
        elif have != kind:
            wide = _common_type(db, have, kind)
            if not (_fits(db, target, quoted, wide) and _fits(db, source, quoted, wide)):
                wide = "VARCHAR"
            if wide != have:
                db.execute(f"ALTER TABLE {target} ALTER {quoted} TYPE {wide}")


def _common_type(db: Connection, one: str, other: str) -> str:
    """The type that holds both, by DuckDB's own rules; text where one is text or there is none."""
    both = f"SELECT value FROM (SELECT NULL::{one} AS value UNION ALL SELECT NULL::{other})"
    try:
        return "VARCHAR" if "VARCHAR" in (one, other) else str(db.execute(f"DESCRIBE {both}").fetchall()[0][1])
    except DatabaseError:
        return "VARCHAR"


def _fits(db: Connection, table: str, column: str, kind: str) -> bool:
    """Whether every value of a column can have that type; DuckDB's common types do not promise it."""
    bad = f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND TRY_CAST({column} AS {kind}) IS NULL"
    try:
        return bool(db.execute(bad).fetchall() == [(0,)])
    except DatabaseError:
        return False


def _apply_failures(db: Connection) -> None:
    """Of all that happened to a path, the last word counts: a failure stands unless a row or a removal follows it.

    Inside one (merged) segment there is no before and after; `merge` keeps only failures that stand, so they win.
    """
    db.execute(
        """
        CREATE TEMP TABLE last_word AS
        SELECT root, path, kind, segment FROM (
            SELECT root, path, segment, 'row' AS kind FROM fresh
            UNION ALL SELECT root, path, segment, 'forgotten' FROM removed WHERE id IS NULL
            UNION ALL SELECT root, path, segment, 'failure' FROM failed)
        QUALIFY row_number() OVER (PARTITION BY root, path ORDER BY segment DESC, kind) = 1
        """
    )
    db.execute(
        """
        DELETE FROM failures USING last_word
        WHERE failures.root = last_word.root AND failures.path = last_word.path
        """
    )
    db.execute(
        """
        INSERT INTO failures
        SELECT failed.* EXCLUDE (segment) FROM failed JOIN last_word USING (root, path, segment)
        WHERE last_word.kind = 'failure'
        QUALIFY row_number() OVER (PARTITION BY failed.root, failed.path) = 1
        """
    )
    db.execute("DROP TABLE last_word")


class Catalog:
    """A published catalog, opened read-only. Safe to use from several threads: each call has its own cursor."""

    def __init__(self, path: Path) -> None:
        self._db = open_reader(path)

    def close(self) -> None:
        """Close the file, once queries in other threads are done with it."""
        close_reader(self._db)

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of `images`."""
        with reading_cursor(self._db) as db:
            return select(db, "SELECT * FROM images LIMIT 0").schema

    def between(self, start: int, stop: int) -> pa.Table:
        """The rows of `images` with ids from `start` to before `stop`, in their order."""
        with reading_cursor(self._db) as db:
            return select(db, f"SELECT * FROM images WHERE id >= {start} AND id < {stop} ORDER BY id")

    def stored(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Every stored column, those that say where vector and bytes lie included, for the given ids, by id; ids that
        do not exist are left out."""
        if not ids:
            return {}
        with reading_cursor(self._db) as db:
            found = self._of_ids(db, "pictures", [int(i) for i in ids])
        return {row["id"]: row for row in found.to_pylist()}

    def columns(self, ids: Sequence[int] | Ids, columns: str = "*") -> pa.Table:
        """Columns of `images`, or SQL expressions over them, for ids that exist: one row an id, in their order."""
        wanted = np.asarray(ids, np.int64)
        with reading_cursor(self._db) as db:
            found = self._of_ids(db, "images", wanted.tolist(), f"id, {columns}")
        there = np.array(found.column(0).to_pylist(), np.int64)
        places = np.argsort(there)
        order = places[np.searchsorted(there, wanted, sorter=places)] if len(wanted) else places
        return rows_at(found.remove_column(0), order)

    def _of_ids(self, db: Connection, relation: str, ids: list[int], columns: str = "*") -> pa.Table:
        if len(ids) < _JOIN_FROM:
            listed = ", ".join(map(str, ids)) or "NULL"
            return select(db, f"SELECT {columns} FROM {relation} WHERE id IN ({listed})")
        return select(
            db,
            f"SELECT {columns} FROM {relation} JOIN (SELECT unnest($ids::BIGINT[]) AS id) AS wanted USING (id)",
            ids=ids,
        )

    def failures(self) -> list[dict[str, Any]]:
        """Pictures that could not be read, with the columns of the `failures` table, ordered by root and path."""
        with reading_cursor(self._db) as db:
            rows: list[dict[str, Any]] = select(db, "SELECT * FROM failures ORDER BY root, path").to_pylist()
        return rows

    def query(self, sql: str) -> pa.Table:
        """Run a user's SELECT on the catalog.

        Raises:
            QueryError: the statement is wrong, is not one single reading statement, or reaches outside the catalog.
        """
        with reading_cursor(self._db) as db:
            return select_once(db, sql)

    def matching(self, conditions: Sequence[str], where: str | None = None) -> Ids:
        """Ids of the pictures that meet every one of our own SQL conditions on `images` and a user's, ascending.

        A condition that is NULL for a picture is not met.

        Raises:
            QueryError: `where` is not one SQL condition on the columns of a picture.
        """
        with reading_cursor(self._db) as db:
            found = ids_where(db, "images", conditions, where)
        # Rows lie almost in the order of their ids, on which a stable sort takes a millisecond a million.
        return np.sort(found, kind="stable")

    def first(self, limit: int, order: str, conditions: Sequence[str], where: str | None = None) -> Ids:
        """As `matching`, the first `limit` in an order, given as what stands in an ORDER BY."""
        with reading_cursor(self._db) as db:
            return ids_where(db, "images", conditions, where, order, limit)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of an internal statement."""
        with reading_cursor(self._db) as db:
            return db.execute(sql).fetchall()

    def arrow(self, sql: str) -> Any:
        """An internal statement's result, streamed as Arrow record batches."""
        return stream(reading_cursor(self._db), sql)
