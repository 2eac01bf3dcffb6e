"""What there is to filter by: the dates, sizes and values of a whole index, with how many pictures have each."""

from __future__ import annotations

from dataclasses import dataclass

from clipsearch.query.histogram import Histogram, histogram
from clipsearch.query.kinds import Column, columns_of
from clipsearch.query.values import Value
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.sql import quote

MOST_VALUES = 50
"""Values up to which a column has few; of one with more, the most frequent so many are told where that says much."""

_SIZES = (256, 512, 1024, 2048, 4096)
_LOOKED_AT = 20_000

# What says which picture it is, or is told by something better.
_NO_FACETS = {"id", "root", "path", "file", "shard", "row_group", "row", "content_hash", "indexed_at", "mtime"}


@dataclass(frozen=True, slots=True)
class Facet:
    """What one column holds.

    Attributes:
        column: its name and kind.
        known: how many pictures have a value in it.
        values: values with how many pictures have each, the most frequent first; empty for one of texts that nearly
            every picture has its own of, and for numbers and dates unless there are few.
        complete: whether these are all.
        least, greatest: of numbers and dates; None for others, and where no picture has any.
    """

    column: Column
    known: int
    values: tuple[tuple[Value, int], ...] = ()
    complete: bool = False
    least: Value | None = None
    greatest: Value | None = None


@dataclass(frozen=True, slots=True)
class Facets:
    """What there is to filter by in a version of an index.

    Attributes:
        pictures: how many there are.
        dates: how they are spread over time; None where there are none.
        sizes: pixels with how many pictures have at least so many on both sides, the fewest pixels first.
        columns: the columns that say something of a picture, in their order, without those that no picture has.
    """

    pictures: int
    dates: Histogram | None
    sizes: tuple[tuple[int, int], ...]
    columns: tuple[Facet, ...]

    def of(self, column: str) -> Facet | None:
        """The facet of a column, by its name; None where there is none."""
        return next((facet for facet in self.columns if facet.column.name == column), None)


def facets(snapshot: Snapshot) -> Facets:
    """The facets of a published version. Looks at every picture: a second or so for a million."""
    columns = [column for column in columns_of(snapshot.catalog.schema) if column.name not in _NO_FACETS]
    pictures = snapshot.manifest.rows
    told = [sql for column in columns for sql in _known_of(column)]
    sizes = [f"count_if(least(width, height) >= {size})" for size in _SIZES]
    [(*answers,)] = snapshot.catalog.fetch(f"SELECT {', '.join([*told, *sizes])} FROM images")
    found = []
    for column in columns:
        known, least, greatest = answers[:3]
        del answers[:3]
        if known:
            values, complete = _values(snapshot, column)
            found.append(Facet(column, known, values, complete, least, greatest))
    return Facets(pictures, histogram(snapshot), tuple(zip(_SIZES, answers, strict=True)), tuple(found))


def _known_of(column: Column) -> list[str]:
    """How many values a column has, the least and the greatest, as SQL."""
    name = quote(column.name)
    if column.listed or column.kind not in ("number", "date"):
        return [f"count({name})", "NULL", "NULL"]
    if column.kind == "date":
        # DuckDB hands out moments of a time zone only with a library that need not be here.
        name = f"make_timestamp(epoch_us({name}))"
        fit = f"FILTER ({name} BETWEEN DATE '0001-01-01' AND DATE '9998-12-31')"
    else:
        fit = f"FILTER (isfinite({name}))" if column.floating else ""
    return [f"count({quote(column.name)})", f"min({name}) {fit}", f"max({name}) {fit}"]


def _values(snapshot: Snapshot, column: Column) -> tuple[tuple[tuple[Value, int], ...], bool]:
    """The values of a column that are worth choosing from, and whether these are all."""
    few_kinds = ("text", "boolean") if column.listed else ("text", "boolean", "number")
    if column.kind not in few_kinds or column.floating:
        return (), False
    name = quote(column.name)
    if column.listed:
        relation = f"(SELECT unnest(list_distinct({name})) AS value FROM images)"
    else:
        relation = f"(SELECT {name} AS value FROM images)"
        # A look at some of the pictures spares counting all captions.
        [(some,)] = snapshot.catalog.fetch(f"SELECT count(DISTINCT value) FROM (FROM {relation} LIMIT {_LOOKED_AT})")
        if some > MOST_VALUES and column.name != "camera":
            return (), False
    counted = snapshot.catalog.fetch(
        f"SELECT value, count(*) AS pictures FROM {relation} WHERE value IS NOT NULL "
        f"GROUP BY value ORDER BY pictures DESC, value LIMIT {MOST_VALUES + 1}"
    )
    complete = len(counted) <= MOST_VALUES
    if not (complete or column.listed or column.name == "camera"):
        return (), False
    return tuple(counted[:MOST_VALUES]), complete
