"""How pictures are spread over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, count
from typing import Literal

from clipsearch.store.snapshot import Snapshot

MOST_BARS = 60
_PARTS_OF_A_YEAR = (1, 3, 6)  # months

Unit = Literal["day", "month", "year"]

# As filters by date have it, and as Python has dates: DuckDB knows infinite ones, and others before Christ.
_WHEN = "coalesce(taken_at, mtime)"
_DATED = f"FROM images WHERE {_WHEN} BETWEEN DATE '0001-01-01' AND DATE '9998-12-31'"


@dataclass(frozen=True, slots=True)
class Histogram:
    """Pictures by when they were taken or, where they do not say, their file was changed.

    Attributes:
        unit: what the bars are made of; a bar may hold several months, or several years.
        edges: the first day of each bar, and the day after the last one, date [n + 1].
        counts: pictures in each bar, [n], at most 60.
    """

    unit: Unit
    edges: tuple[date, ...]
    counts: tuple[int, ...]


def histogram(snapshot: Snapshot) -> Histogram | None:
    """The histogram of a published version; None where no picture has a date."""
    [(first, last)] = snapshot.catalog.fetch(f"SELECT min({_WHEN})::DATE, max({_WHEN})::DATE {_DATED}")
    if first is None:
        return None
    unit, edges = bars(first, last)
    counted = dict(
        snapshot.catalog.fetch(f"SELECT date_trunc('{unit}', {_WHEN})::DATE AS start, count(*) {_DATED} GROUP BY start")
    )
    counts = [0] * (len(edges) - 1)
    bar = 0
    for start in sorted(counted):
        while start >= edges[bar + 1]:
            bar += 1
        counts[bar] += counted[start]
    return Histogram(unit, edges, tuple(counts))


def bars(first: date, last: date) -> tuple[Unit, tuple[date, ...]]:
    """The edges of at most `MOST_BARS` bars that hold both days: of a day, some months or some years each."""
    if (last - first).days < MOST_BARS:
        days = (last - first).days + 1
        return "day", tuple(first + timedelta(day) for day in range(days + 1))
    steps = chain(_PARTS_OF_A_YEAR, count(12, 12))
    begin, end = _months(first), _months(last)
    step = next(step for step in steps if end // step - begin // step < MOST_BARS)
    edges = (place * step for place in range(begin // step, end // step + 2))
    return "month" if step < 12 else "year", tuple(_month(edge) for edge in edges)


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1


def _month(months: int) -> date:
    return date(min(max(months // 12, 1), 9999), months % 12 + 1, 1)
