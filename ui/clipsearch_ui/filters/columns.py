"""Filtering by the values of a column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

import streamlit as st

from clipsearch.query.facets import Facet, Facets
from clipsearch.query.values import Value
from clipsearch.store.schema import ROW_SCHEMA, VIEWED
from clipsearch_ui.filters.address import given, one
from clipsearch_ui.filters.dates import ends
from clipsearch_ui.following import following
from clipsearch_ui.search.query import change
from clipsearch_ui.text import plain

_FEW = 8
"""Values up to which all are laid out; more are behind a field."""

_LONGEST = 28  # letters of a value that a sidebar has room for

_MANY_DIGITS = 2**53  # beyond it a browser's numbers are not exact


def choices(facets: Facets, column: str, title: str, *, parameter: str) -> None:
    """Draw the values of a column to choose from, where there is a choice."""
    facet = facets.of(column)
    if facet is not None and facet.values and tells_apart(facet, facets.pictures):
        _choose(facet, title, parameter)


def own_columns(facets: Facets) -> None:
    """Draw captions and the columns that a Parquet source brought, each behind its name."""
    own = [facet for facet in facets.columns if facet.column.name not in (*ROW_SCHEMA.names, *VIEWED)]
    for facet in ([facets.of("caption")] if facets.of("caption") else []) + own:
        if facet is not None and facet.column.kind and tells_apart(facet, facets.pictures):
            name = facet.column.name
            on = any(given(f"{ask}.{name}") for ask in ("is", "has", "from", "to"))
            with st.expander(plain(name.capitalize() if name == "caption" else name), expanded=on):
                _own(facet)


def tells_apart(facet: Facet, pictures: int) -> bool:
    """Whether a filter by a column could leave some of the pictures out, and some in."""
    same = len(facet.values) == 1 if facet.complete else facet.least == facet.greatest is not None
    return facet.known > 0 and not (same and facet.known == pictures)


def _own(facet: Facet) -> None:
    name, kind = facet.column.name, facet.column.kind
    st.caption(f"{facet.known:,} pictures have it")
    if facet.values and (kind != "number" or facet.column.listed or len(facet.values) <= _FEW):
        _choose(facet, name, f"is.{name}", label_visibility="collapsed")
    elif facet.column.listed:
        return
    elif kind == "text":
        _contains(name)
    elif kind == "number":
        _between(facet)
    elif kind == "date":
        ends(f"from.{name}", f"to.{name}")


def _choose(
    facet: Facet, title: str, parameter: str, *, label_visibility: Literal["visible", "collapsed"] = "visible"
) -> None:
    counts = {str(value): count for value, count in _in_order(facet)}
    chosen = given(parameter)
    options = [*counts, *(value for value in chosen if value not in counts)]
    key = f"filter-{parameter}"
    on_change = following(key, chosen, lambda new: change(**{parameter: [str(value) for value in new]}))

    def label(value: str) -> str:
        return f"{_worded(facet, value)} ({counts.get(value, 0):,})"

    if len(options) <= _FEW and facet.complete and all(len(label(value)) <= _LONGEST for value in options):
        st.pills(
            title,
            options,
            selection_mode="multi",
            format_func=lambda value: plain(label(value)),
            key=key,
            on_change=on_change,
            label_visibility=label_visibility,
        )
    else:
        st.multiselect(
            title,
            options,
            format_func=label,
            key=key,
            on_change=on_change,
            accept_new_options=not facet.complete,
            placeholder="Any",
            label_visibility=label_visibility,
        )


def _in_order(facet: Facet) -> Sequence[tuple[Value, int]]:
    """Numbers by their size, others as they come, the most frequent first; what an address can say."""
    values = [(value, count) for value, count in facet.values if str(value).strip()]
    return sorted(values) if facet.column.kind == "number" else values


def _worded(facet: Facet, value: str) -> str:
    return {"True": "yes", "False": "no"}.get(value, value) if facet.column.kind == "boolean" else value


def _contains(name: str) -> None:
    key = f"filter-has.{name}"
    typed = following(key, one(f"has.{name}") or "", lambda text: change(**{f"has.{name}": text.strip()}))
    st.text_input("Contains", key=key, on_change=typed)


def _between(facet: Facet) -> None:
    name = facet.column.name
    least, greatest, step = scale(facet)
    if not least < greatest:
        return
    ends = [_number(one(f"{end}.{name}"), otherwise) for end, otherwise in (("from", least), ("to", greatest))]
    key = f"filter-between.{name}"
    low, high = (min(max(end, least), greatest) for end in ends)

    digits = max(0, -math.floor(math.log10(step)))

    def moved(between: tuple[float, float]) -> None:
        start, stop = (round(end, digits) for end in between)
        change(
            **{
                f"from.{name}": f"{start}" if start > least + step / 2 else "",
                f"to.{name}": f"{stop}" if stop < greatest - step / 2 else "",
            }
        )

    st.slider(
        plain(name),
        least,
        greatest,
        step=step,
        key=key,
        format=f"%.{digits}f" if isinstance(step, float) else None,
        on_change=following(key, (min(low, high), max(low, high)), moved),
        label_visibility="collapsed",
    )


def scale(facet: Facet) -> tuple[float, float, float]:
    """The ends of a slider over a column of numbers, and its step: a round number, some hundred of them in all."""
    least, greatest = float(str(facet.least)), float(str(facet.greatest))
    if facet.column.whole and max(abs(least), abs(greatest)) < _MANY_DIGITS:
        return int(least), int(greatest), 1
    if not least < greatest:
        return least, greatest, 1.0
    step = 10.0 ** math.floor(math.log10((greatest - least) / 100))
    return math.floor(least / step) * step, math.ceil(greatest / step) * step, step


def _number(text: str | None, otherwise: float) -> float:
    with suppress(ValueError):
        number = float(text or "nan")
        return type(otherwise)(number) if math.isfinite(number) else otherwise
    return otherwise
