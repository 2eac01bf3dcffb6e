"""Filtering by date: a histogram to drag over, and two fields."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise

import streamlit as st

from clipsearch.errors import QueryError
from clipsearch.query.dates import span
from clipsearch.query.histogram import Histogram
from clipsearch_ui.components import component
from clipsearch_ui.filters.address import one
from clipsearch_ui.following import following
from clipsearch_ui.search.query import change

_HISTOGRAM = component("histogram", "elements")
_EARLIEST, _LATEST = date(1, 1, 1), date(9999, 12, 31)


def dates(spread: Histogram | None) -> None:
    """Draw the filter by date, where pictures have more than one."""
    if spread is None or spread.edges[-1] - spread.edges[0] == timedelta(days=1):
        return
    after, before = day("after", last=False), day("before", last=True)
    st.markdown(":small[Date]")
    _HISTOGRAM(
        data={
            "bars": [
                {"from": str(start), "to": str(end - timedelta(days=1)), "count": count, "label": _label(start, end)}
                for (start, end), count in zip(pairwise(spread.edges), spread.counts, strict=True)
            ],
            "after": str(after or ""),
            "before": str(before or ""),
        },
        key="histogram",
        on_range_change=_chosen,
    )
    ends("after", "before")


def ends(first: str, last: str) -> None:
    """Draw two fields for a range of dates, whose ends are two parameters of the address."""
    _end("From", first, day(first, last=False))
    _end("To", last, day(last, last=True))


def _end(label: str, parameter: str, value: date | None) -> None:
    def chosen(new: date | None) -> None:
        change(**{parameter: "" if new is None else new.isoformat()})

    key = f"filter-{parameter}"
    st.date_input(
        label,
        value=None,
        min_value=_EARLIEST,
        max_value=_LATEST,
        key=key,
        format="YYYY-MM-DD",
        on_change=following(key, value, chosen),
    )


def day(parameter: str, *, last: bool) -> date | None:
    """The day that a parameter of the address begins with, or ends with; None where it is none."""
    value = one(parameter)
    with suppress(QueryError):
        return None if value is None else span(parameter, value)[last].date()
    return None


def _chosen() -> None:
    after, before = st.session_state["histogram"].range
    change(after=after, before=before)


def _label(start: date, end: date) -> str:
    """A bar's days in words: one day, one month, one year, or from one to another."""
    if end - start == timedelta(days=1):
        return str(start)
    written: Callable[[date], str] = str if start.day > 1 else lambda edge: f"{edge:%Y-%m}"
    if start.month == 1 and end.month == 1:
        written = lambda edge: f"{edge.year:04}"  # noqa: E731
    first, last = written(start), written(end - timedelta(days=1))
    return first if first == last else f"{first} to {last}"
