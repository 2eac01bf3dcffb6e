"""In which order pictures are shown, and which of those that are alike."""

from __future__ import annotations

import streamlit as st

from clipsearch.query.facets import Facet, Facets
from clipsearch.query.options import NEWEST
from clipsearch_ui.filters.address import one
from clipsearch_ui.following import following
from clipsearch_ui.search.query import change

_UNIQUE, _SORT, _REVERSED, _GROUP = "filter-unique", "filter-sort", "filter-reversed", "filter-group"
_TITLES = {"": "Relevance", NEWEST: "Date", "bytes": "Size of the file", "width": "Width", "height": "Height"}
_TITLES |= {"sharpness": "Sharpness", "exposure": "Brightness", "megapixels": "Resolution"}
_TITLES |= {"camera": "Camera", "caption": "Caption"}
_NO_ORDER = {"latitude", "longitude", "taken_at", "format"}
_GROUPS = {"": "Show all", "folder": "The first of each folder", "day": "The first of each day"}


def order(facets: Facets, *, asked: bool) -> None:
    """Draw how pictures are ordered, and whether copies or whole groups are shown as one."""
    st.toggle(
        "One of each picture",
        key=_UNIQUE,
        on_change=following(_UNIQUE, one("unique") is not None, lambda on: change(unique="1" if on else "")),
        help="Of copies in several sizes or qualities, only the best",
    )
    _sort(facets, "" if asked else NEWEST)
    groups = _GROUPS | {facet.column.name: f"The first of each {facet.column.name}" for facet in _few_texts(facets)}
    group = one("group") or ""
    grouped = following(_GROUP, group if group in groups else "", lambda by: change(group=by))
    st.selectbox("Group", list(groups), format_func=groups.__getitem__, key=_GROUP, on_change=grouped)


def _few_texts(facets: Facets) -> list[Facet]:
    """Columns of texts, of which few are different: cameras, labels."""
    texts = (facet for facet in facets.columns if facet.column.kind == "text" and not facet.column.listed)
    return [facet for facet in texts if facet.values and facet.column.name != "format"]


def _sort(facets: Facets, default: str) -> None:
    sort = one("sort") or default
    column, reverse = sort.removesuffix(":asc").removesuffix(":desc"), sort.endswith(":asc")

    def sorted_by(name: str, *, ascending: bool) -> None:
        change(sort="" if name == default and not ascending else name + ":asc" * bool(name and ascending))

    columns = [facet.column for facet in facets.columns if facet.column.kind and not facet.column.listed]
    titles = {name: _TITLES[name] for name in dict.fromkeys((default, NEWEST))}
    titles |= {found.name: _TITLES.get(found.name, found.name) for found in columns if found.name not in _NO_ORDER}
    st.selectbox(
        "Sort by",
        [*titles, *([column] if column not in titles else [])],
        format_func=lambda name: titles.get(name, name),
        key=_SORT,
        on_change=following(_SORT, column, lambda name: sorted_by(name, ascending=reverse)),
    )
    if column:
        turned = following(_REVERSED, reverse, lambda on: sorted_by(column, ascending=on))
        st.toggle("Earliest or smallest first", key=_REVERSED, on_change=turned)
