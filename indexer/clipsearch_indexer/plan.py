"""What a run has to do: what the sources hold now, held against what the index published last.

The comparison is a join in a scratch DuckDB beside the index, so memory does not grow with the number of files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pathspec import GitIgnoreSpec

from clipsearch.store.duck import open_writer, select, stream
from clipsearch.store.sql import literal
from clipsearch_indexer.chunks import chunked
from clipsearch_indexer.roots import Target
from clipsearch_indexer.sources.folder import Found, Problem

_SCAN = pa.schema(
    [
        ("root", pa.string()),
        ("path", pa.string()),
        ("bytes", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("kind", pa.string()),
    ]
)
_CHUNK = 8192

# What the path of a shard's row has after that of the shard.
_ROW = re.compile(r"#\d+/\d+$")

_TABLES = """
CREATE TABLE scan (root VARCHAR, path VARCHAR, bytes BIGINT, mtime_ns BIGINT, kind VARCHAR);
CREATE TABLE scope (root VARCHAR, path VARCHAR, folder BOOLEAN);
CREATE TABLE problem (root VARCHAR, path VARCHAR, reason VARCHAR, message VARCHAR, hides BOOLEAN);
CREATE TABLE vanished (id BIGINT, root VARCHAR, path VARCHAR, content_hash VARCHAR);
CREATE TABLE healed (root VARCHAR, path VARCHAR);
"""

# A path is in a scope that is the path itself, or a folder above it ('' is the whole root). There may be many
# scopes that are files: they are looked up, not gone through.
_IN_SCOPE = """
(EXISTS (SELECT 1 FROM scope WHERE scope.root = {row}.root AND scope.path = {path})
 OR EXISTS (SELECT 1 FROM scope WHERE scope.root = {row}.root AND scope.folder
            AND (scope.path = '' OR starts_with({path}, scope.path || '/'))))
AND NOT EXISTS (SELECT 1 FROM problem WHERE problem.root = {row}.root AND hides
                AND (problem.path = '.' OR {path} = problem.path OR starts_with({path}, problem.path || '/')))
"""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A picture file to look at, with what the index holds under the same name, if anything."""

    root: str
    path: str
    bytes: int
    mtime_ns: int
    old_id: int | None
    old_hash: str | None


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of a shard as the index holds it; `failed` ones have no id."""

    id: int | None
    content_hash: str | None
    bytes: int | None
    mtime_ns: int


class Plan:
    """The scan of this run's sources and its comparison with a published catalog.

    Call `scan` for each target, then `compare` once; the rest are answers.
    """

    def __init__(self, scratch: Path, catalog: Path, *, retry: bool) -> None:
        scratch.parent.mkdir(exist_ok=True)
        self._db = open_writer(scratch)
        self._db.execute(_TABLES)
        self._db.execute(f"ATTACH {literal(str(catalog))} AS published (READ_ONLY)")
        self._retry = retry

    def close(self) -> None:
        """Let go of the scratch database."""
        self._db.close()

    def scan(self, target: Target, found: Iterable[Found | Problem]) -> None:
        """Record what a target holds now, paths relative to its root."""
        for chunk in chunked(found, _CHUNK):
            rows = [
                {"root": target.root, "path": f.path, "bytes": f.bytes, "mtime_ns": f.mtime_ns, "kind": f.kind}
                for f in chunk
                if isinstance(f, Found)
            ]
            self._db.register("chunk", pa.Table.from_pylist(rows, schema=_SCAN))
            self._db.execute("INSERT INTO scan SELECT * FROM chunk")
            for problem in (f for f in chunk if isinstance(f, Problem)):
                # A folder that cannot be read may be whole; a file that is gone is just gone.
                hides = problem.reason != "missing"
                self._db.execute(
                    "INSERT INTO problem VALUES (?, ?, ?, ?, ?)",
                    [target.root, problem.path, problem.reason, problem.message, hides],
                )
        self._add_scope(target)

    def _add_scope(self, target: Target) -> None:
        if target.kind == "folder":
            paths = [target.prefix]
        else:
            paths = [*target.files, *(s for s in self._known_shards(target.root) if not (target.base / s).exists())]
        self._db.register("chunk", pa.table({"path": pa.array(paths, pa.string())}))
        self._db.execute("INSERT INTO scope SELECT ?, path, ? FROM chunk", [target.root, target.kind == "folder"])

    def _known_shards(self, root: str) -> list[str]:
        sql = "SELECT DISTINCT shard FROM published.pictures WHERE root = ? AND shard IS NOT NULL"
        return [shard for (shard,) in self._db.execute(sql, [root]).fetchall()]

    def compare(self, include: Sequence[str]) -> None:
        """Find pictures that are new, changed or gone. What `include` leaves out is not taken to be gone."""
        self._db.execute("CREATE TABLE seen AS SELECT DISTINCT ON (root, path) * FROM scan")
        # Of a vector that was imported without its picture size and time are null.
        same = "{0}.bytes IS NOT DISTINCT FROM seen.bytes AND {0}.mtime_ns IS NOT DISTINCT FROM seen.mtime_ns"
        changed = f"{{0}}.path IS NULL OR NOT ({same})"
        self._db.execute(
            f"""
            CREATE TABLE todo AS
            SELECT seen.root, seen.path, seen.bytes, seen.mtime_ns, p.id AS old_id, p.content_hash AS old_hash
            FROM seen
            LEFT JOIN (SELECT * FROM published.pictures WHERE shard IS NULL) p USING (root, path)
            LEFT JOIN published.failures f USING (root, path)
            WHERE seen.kind = 'picture' AND ({changed.format("p")})
              AND ({changed.format("f")} OR f.reason IN ('unreadable', 'missing') OR $retry)
            ORDER BY seen.root, seen.path
            """,
            {"retry": self._retry},
        )
        self._find_vanished()
        if include:
            self._spare(GitIgnoreSpec.from_lines(include))

    def _find_vanished(self) -> None:
        gone = "NOT EXISTS (SELECT 1 FROM seen WHERE seen.root = {row}.root AND seen.path = {path})"
        file = "coalesce(p.shard, p.path)"
        self._db.execute(
            f"""
            INSERT INTO vanished SELECT p.id, p.root, p.path, p.content_hash FROM published.pictures p
            WHERE {_IN_SCOPE.format(row="p", path=file)} AND {gone.format(row="p", path=file)}
            """
        )
        failed = "regexp_replace(f.path, '#[0-9]+/[0-9]+$', '')"
        self._db.execute(
            f"""
            INSERT INTO healed SELECT f.root, f.path FROM published.failures f
            WHERE {_IN_SCOPE.format(row="f", path=failed)} AND {gone.format(row="f", path=failed)}
              AND (f.root, f.path) NOT IN (SELECT (root, path) FROM problem)
            """
        )

    def _spare(self, included: GitIgnoreSpec) -> None:
        """Patterns are relative to the folder that was scanned, which may lie inside the root."""
        for table in ("vanished", "healed"):
            gone = self._db.execute(
                f"SELECT gone.root, gone.path, scope.path FROM {table} gone JOIN scope ON scope.root = gone.root "
                "AND scope.folder AND (scope.path = '' OR starts_with(gone.path, scope.path || '/'))"
            ).fetchall()
            for root, path, prefix in gone:
                file = _ROW.sub("", path).removeprefix(f"{prefix}/")
                if not included.match_file(file):
                    self._db.execute(f"DELETE FROM {table} WHERE root = ? AND path = ?", [root, path])

    def counts(self) -> tuple[int, int]:
        """How many picture files were seen, and how many of them are new or changed."""
        [(seen, todo)] = self._db.execute(
            "SELECT (SELECT count(*) FROM seen WHERE kind = 'picture'), (SELECT count(*) FROM todo)"
        ).fetchall()
        return seen, todo

    def files(self) -> Iterator[StoredFile]:
        """Picture files that are new or changed, by root and path."""
        with self._db.cursor() as db:
            for batch in stream(db, "SELECT * FROM todo ORDER BY root, path", _CHUNK):
                for row in batch.to_pylist():
                    yield StoredFile(**row)

    def shards(self) -> list[tuple[str, str, int]]:
        """(root, path, mtime_ns) of the Parquet files seen."""
        sql = "SELECT root, path, mtime_ns FROM seen WHERE kind = 'shard' ORDER BY root, path"
        return self._db.execute(sql).fetchall()

    def shard_rows(self, root: str, shard: str) -> dict[tuple[int, int], StoredRow]:
        """What the index holds of a shard, by (row group, row), failed rows included."""
        with self._db.cursor() as db:
            kept = select(
                db,
                "SELECT row_group, row, id, content_hash, bytes, mtime_ns FROM published.pictures "
                "WHERE root = $root AND shard = $shard",
                root=root,
                shard=shard,
            )
            failed = select(
                db,
                "SELECT path, mtime_ns FROM published.failures WHERE root = $root AND starts_with(path, $shard || '#')",
                root=root,
                shard=shard,
            )
        rows = {(r["row_group"], r["row"]): _stored(r) for r in kept.to_pylist()}
        for row in failed.to_pylist():
            group, _, number = row["path"].rpartition("#")[2].partition("/")
            rows[int(group), int(number)] = StoredRow(None, None, None, row["mtime_ns"])
        return rows

    def mark_vanished(self, root: str, shard: str, stored: StoredRow, place: tuple[int, int]) -> None:
        """Note that a row of a shard is not there any more."""
        path = f"{shard}#{place[0]}/{place[1]}"
        if stored.id is None:
            self._db.execute("INSERT INTO healed VALUES (?, ?)", [root, path])
        else:
            self._db.execute("INSERT INTO vanished VALUES (?, ?, ?, ?)", [stored.id, root, path, stored.content_hash])

    def mark_damaged(self, root: str, shard: str, message: str) -> None:
        """Note that a Parquet file cannot be read (to its end), so that it goes down as a failure."""
        self._db.execute("INSERT INTO problem VALUES (?, ?, 'corrupt', ?, false)", [root, shard, message])

    def mark_readable(self, root: str, shard: str) -> None:
        """Note that a Parquet file can be read, in case it is down as a failure."""
        self._db.execute(
            "INSERT INTO healed SELECT root, path FROM published.failures WHERE root = ? AND path = ?", [root, shard]
        )

    def new_problems(self) -> list[tuple[str, str, str, str]]:
        """(root, path, reason, message) of what could not be looked at and is not down as a failure yet."""
        return self._db.execute(
            "SELECT DISTINCT root, path, reason, message FROM problem "
            "WHERE (root, path, reason) NOT IN (SELECT (root, path, reason) FROM published.failures) ORDER BY ALL"
        ).fetchall()

    def vanished_with(self, hashes: Sequence[str]) -> list[tuple[str, int]]:
        """(content hash, id) of vanished pictures with one of these contents, oldest id first."""
        if not hashes:
            return []
        sql = "SELECT content_hash, id FROM vanished WHERE content_hash IN (SELECT unnest(?::VARCHAR[])) ORDER BY id"
        with self._db.cursor() as db:  # of its own: asked from the thread that writes
            return db.execute(sql, [list(hashes)]).fetchall()

    def vanished(self) -> list[int]:
        """Ids of pictures that are gone."""
        return [i for (i,) in self._db.execute("SELECT DISTINCT id FROM vanished ORDER BY id").fetchall()]

    def healed(self) -> list[tuple[str, str]]:
        """(root, path) of recorded failures whose file is gone."""
        return self._db.execute("SELECT DISTINCT root, path FROM healed ORDER BY root, path").fetchall()


def _stored(row: dict[str, Any]) -> StoredRow:
    return StoredRow(row["id"], row["content_hash"], row["bytes"], row["mtime_ns"])
