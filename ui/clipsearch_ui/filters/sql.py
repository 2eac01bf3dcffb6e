"""Filtering by a condition in SQL, for those who know it."""

from __future__ import annotations

import streamlit as st

from clipsearch import Filter
from clipsearch.errors import QueryError
from clipsearch_ui.engine import Engine
from clipsearch_ui.filters import known
from clipsearch_ui.filters.address import one
from clipsearch_ui.following import following
from clipsearch_ui.search.query import change
from clipsearch_ui.text import plain

_WHERE = "filter-where"


def condition(engine: Engine) -> None:
    """Draw a field for a condition in SQL, what is wrong with it, and what it may name."""
    where = one("where")
    with st.expander("For experts", icon=":material/code:", expanded=where is not None):
        typed = following(_WHERE, where or "", lambda sql: change(where=sql.strip()))
        st.text_area(
            "SQL condition",
            key=_WHERE,
            on_change=typed,
            placeholder="width > 2000 and caption ilike '%dog%'",
            height=80,
        )
        if where is not None:
            # By itself, so that what is said is about this field.
            try:
                known.passing(engine, Filter(where=where))
            except QueryError as error:
                st.error(plain(str(error)))
        columns = ", ".join(f"**{plain(name)}** {plain(kind.lower())}" for name, kind in known.columns(engine))
        st.caption(f"One condition of DuckDB's SQL on these columns: {columns}")
