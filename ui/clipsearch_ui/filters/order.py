"""In which order pictures are shown, and which of those that are alike."""

from __future__ import annotations

from functools import partial

import streamlit as st

from clipsearch.query.facets import Facets
from clipsearch.query.options import NEWEST
from clipsearch_ui.filters.address import one
from clipsearch_ui.search.query import change

_UNIQUE, _SORT, _REVERSED, _GROUP = "filter-unique", "filter-sort", "filter-reversed", "filter-group"
_TITLES = {"": "Relevance", NEWEST: "Date", "bytes": "Size of the file", "width": "Width", "height": "Height"}
_TITLES |= {"sharpness": "Sharpness", "camera": "Camera", "caption": "Caption"}
_NO_ORDER = {"latitude", "longitude", "taken_at", "format"}
_GROUPS = {"": "Show all", "folder": "The first of each folder", "day": "The first of each day"}


def order(facets: Facets, *, asked: bool) -> None:
    """Draw how pictures are ordered, and whether copies or whole groups are shown as one."""
    default = "" if asked else NEWEST
    changed = partial(_changed, default)
    st.session_state[_UNIQUE] = one("unique") is not None
    st.toggle(
        "One of each picture",
        key=_UNIQUE,
        on_change=changed,
        help="Of copies in several sizes or qualities, only the best",
    )
    columns = [facet.column for facet in facets.columns if facet.column.kind and not facet.column.listed]
    titles = {name: _TITLES[name] for name in ("", NEWEST) if name or asked}
    titles |= {column.name: _TITLES.get(column.name, column.name) for column in columns if column.name not in _NO_ORDER}
    sort = one("sort") or default
    column, reverse = sort.removesuffix(":asc").removesuffix(":desc"), sort.endswith(":asc")
    st.session_state[_SORT], st.session_state[_REVERSED] = column, reverse
    options = [*titles, *([column] if column not in titles else [])]
    st.selectbox("Sort by", options, format_func=lambda name: titles.get(name, name), key=_SORT, on_change=changed)
    if column:
        st.toggle("Earliest or smallest first", key=_REVERSED, on_change=changed)
    groups = _GROUPS | ({"camera": "The first of each camera"} if facets.of("camera") else {})
    group = one("group") or ""
    st.session_state[_GROUP] = group if group in groups else ""
    st.selectbox("Group", list(groups), format_func=groups.__getitem__, key=_GROUP, on_change=changed)


def _changed(default: str) -> None:
    state = st.session_state
    column, reverse = state[_SORT], state.get(_REVERSED, False)
    sort = "" if column == default and not reverse else column + ":asc" * reverse
    change(unique="1" if state[_UNIQUE] else "", sort=sort, group=state[_GROUP])
