"""Which rows of the tables are new: all that they name, held against what the index published last.

As in `plan`, a scratch DuckDB does the comparing, so memory does not grow with the number of rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from clipsearch.store.duck import open_writer
from clipsearch.store.sql import literal


@dataclass(frozen=True, slots=True)
class New:
    """A row to import: its number, counted through all tables, and its picture's root and path in it."""

    number: int
    root: str
    path: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows there are, those whose path an earlier row has already, and those to import."""

    seen: int
    repeated: int
    new: int


class Comparison:
    """Call `add` for all rows, then `compare` once; the rest are answers. Places are stored absolute paths."""

    def __init__(self, scratch: Path, catalog: Path) -> None:
        scratch.parent.mkdir(exist_ok=True)
        self._db = open_writer(scratch)
        self._db.execute("CREATE TABLE source (number BIGINT, place VARCHAR, mtime_ns BIGINT)")
        self._db.execute(f"ATTACH {literal(str(catalog))} AS published (READ_ONLY)")
        self._rows = 0

    def close(self) -> None:
        """Let go of the scratch database."""
        self._db.close()

    def add(self, places: Sequence[str], mtime_ns: int) -> None:
        """Add the next rows, of a file that was changed at `mtime_ns`."""
        numbers = pa.array(range(self._rows, self._rows + len(places)), pa.int64())
        self._db.register("chunk", pa.table({"number": numbers, "place": pa.array(places, pa.string())}))
        self._db.execute("INSERT INTO source SELECT number, place, ? FROM chunk", [mtime_ns])
        self._rows += len(places)

    def first_and_last(self, folder: str = "", *, without: Sequence[str] = ()) -> tuple[str, str] | None:
        """The places in a folder, but for those in others, that come first and last in the order of their letters.

        What these two begin with, all begin with.
        """
        conditions = [f"starts_with(place, {literal(folder)})"]
        conditions += [f"NOT starts_with(place, {literal(other)})" for other in without]
        [(first, last)] = self._db.execute(
            f"SELECT min(place), max(place) FROM source WHERE {' AND '.join(conditions)}"
        ).fetchall()
        return None if first is None else (first, last)

    def compare(self, folders: Mapping[str, str]) -> Counts:
        """Find the new rows, the first of each path; `folders` are the roots by alias, each ending in a slash.

        A vector that could not be used is new again once its file has changed.
        """
        deepest = sorted(folders.items(), key=lambda item: len(item[1]), reverse=True)
        inside = [(f"starts_with(place, {literal(folder)})", alias, len(folder)) for alias, folder in deepest]
        roots = " ".join(f"WHEN {within} THEN {literal(alias)}" for within, alias, _ in inside)
        paths = " ".join(f"WHEN {within} THEN place[{length + 1}:]" for within, _, length in inside)
        self._db.execute(
            f"CREATE TABLE located AS SELECT number, mtime_ns, CASE {roots} END AS root, CASE {paths} END AS path "
            "FROM source"
        )
        self._db.execute(
            """
            CREATE TABLE new AS
            SELECT min(number) AS number, root, path
            FROM located
            ANTI JOIN published.pictures USING (root, path)
            ANTI JOIN published.failures USING (root, path, mtime_ns)
            GROUP BY root, path ORDER BY number
            """
        )
        [(seen, distinct, new)] = self._db.execute(
            "SELECT (SELECT count(*) FROM located), (SELECT count(*) FROM (SELECT DISTINCT root, path FROM located)), "
            "(SELECT count(*) FROM new)"
        ).fetchall()
        return Counts(seen, seen - distinct, new)

    def new(self, first: int, count: int) -> list[New]:
        """The new ones among `count` rows from number `first` on, in their order."""
        found = self._db.execute(
            "SELECT number, root, path FROM new WHERE number >= ? AND number < ? ORDER BY number",
            [first, first + count],
        ).fetchall()
        return [New(*row) for row in found]

    def any_new(self, first: int, count: int) -> bool:
        """Whether any of these rows is new."""
        sql = "SELECT count(*) FROM new WHERE number >= ? AND number < ?"
        return self._db.execute(sql, [first, first + count]).fetchall() != [(0,)]
