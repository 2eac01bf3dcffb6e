"""The filters beside the pictures, drawn from what the index holds."""

from __future__ import annotations

import streamlit as st

from clipsearch_ui.engine import Engine
from clipsearch_ui.filters import known
from clipsearch_ui.filters.address import parts
from clipsearch_ui.filters.chips import clear_button
from clipsearch_ui.filters.columns import choices, own_columns
from clipsearch_ui.filters.dates import dates
from clipsearch_ui.filters.folders import folders
from clipsearch_ui.filters.order import order
from clipsearch_ui.filters.places import near, smallest
from clipsearch_ui.filters.sql import condition


def panel(engine: Engine, *, asked: bool) -> None:
    """Draw the filters into the sidebar; only those that tell pictures of this index apart.

    Args:
        engine: the index.
        asked: whether there is a query, so that pictures can be ordered by relevance to it.
    """
    there = known.facets(engine)
    if not there.pictures:
        return
    with st.sidebar, st.container(key="filters"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader("Filters", anchor=False)
            if parts():
                clear_button("panel")
        dates(there.dates)
        folders(known.folders(engine))
        for column, title in (("camera", "Camera"), ("format", "Format")):
            choices(there, column, title, parameter=column)
        smallest(there)
        near(there)
        own_columns(there)
        order(there, asked=asked)
        condition(engine)
