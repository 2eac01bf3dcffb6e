"""Filtering by size and by where a picture was taken."""

from __future__ import annotations

import streamlit as st

from clipsearch.query.facets import Facets
from clipsearch_ui.filters.address import one
from clipsearch_ui.following import following
from clipsearch_ui.search.query import change

_SMALLEST, _NEAR = "filter-min", "filter-near"


def smallest(facets: Facets) -> None:
    """Draw how large pictures have to be, where some are larger than others."""
    sizes = {str(size): count for size, count in facets.sizes if 0 < count < facets.pictures}
    asked = one("min")
    if not sizes:
        return
    options = [*sizes, *([asked] if asked and asked not in sizes else [])]
    sized = following(_SMALLEST, asked, lambda size: change(min=size or ""))

    def label(size: str) -> str:
        return f"{size} px ({sizes[size]:,})" if size in sizes else f"{size} px"

    st.pills("Both sides at least", options, format_func=label, key=_SMALLEST, on_change=sized)


def near(facets: Facets) -> None:
    """Draw where pictures have to be taken, where they say it."""
    if facets.of("latitude") is None:
        return
    placed = following(_NEAR, one("near") or "", lambda place: change(near=place.replace(" ", "")))
    st.text_input(
        "Near a place",
        key=_NEAR,
        on_change=placed,
        placeholder="48.14, 11.58, 20",
        help="Latitude and longitude in degrees, and kilometres around it",
    )
