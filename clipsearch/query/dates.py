"""Days, months, years and moments, as people write them."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, time

from clipsearch.errors import QueryError
from clipsearch.store.sql import literal

_WHOLE = re.compile(r"(\d{4})(?:-(\d\d))?")


def span(name: str, when: date | str) -> tuple[datetime, datetime]:
    """The first and the last microsecond of a day, month or year; of a moment that moment twice.

    Args:
        name: what it is the date of, for the sentence when it is none.
        when: a date, a datetime, or a text: `2024`, `2024-06`, `2024-06-30` or `2024-06-30T18:00`.

    Raises:
        QueryError: it is no date, or has a time zone.
    """
    try:
        if isinstance(when, str):
            when = when.strip()
            if whole := _WHOLE.fullmatch(when):
                year, month = int(whole[1]), int(whole[2] or 0)
                last = date(year, month or 12, monthrange(year, month or 12)[1])
                return _start(date(year, month or 1, 1)), _end(last)
            when = date.fromisoformat(when) if len(when) <= 10 else datetime.fromisoformat(when)
    except ValueError:
        raise QueryError(
            f"{name!r} is {when!r}, which is no date; write it as 2024, 2024-06, 2024-06-30 or 2024-06-30T18:00."
        ) from None
    if not isinstance(when, datetime):
        return _start(when), _end(when)
    if when.tzinfo is not None:
        raise QueryError(f"{name!r} is {when.isoformat()}, but cameras write no time zone; leave it out.")
    return when, when


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min)


def _end(day: date) -> datetime:
    return datetime.combine(day, time.max)


def timestamp(moment: datetime) -> str:
    """A moment as an SQL literal."""
    return f"TIMESTAMP {literal(moment.isoformat(' '))}"
