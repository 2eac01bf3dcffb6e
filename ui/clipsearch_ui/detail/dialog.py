"""One picture over the page: large, with all that is known of it and what it resembles.

The address says which, `picture=ID`, so the back button closes it and a bookmark opens it. Inside, only the dialog is
drawn anew, not the page under it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from clipsearch.errors import ClipsearchError, QueryError
from clipsearch_ui.detail.cells import clamped
from clipsearch_ui.detail.facts import facts, labels, listed
from clipsearch_ui.detail.file_actions import file_actions
from clipsearch_ui.detail.large import large
from clipsearch_ui.detail.neighbours import neighbours
from clipsearch_ui.detail.place import place
from clipsearch_ui.detail.tags import tags
from clipsearch_ui.engine import Engine
from clipsearch_ui.search.grid import less_like, more_like
from clipsearch_ui.search.query import Query, Term, ask, change
from clipsearch_ui.serving import Serving
from clipsearch_ui.text import plain

_STYLE = Path(__file__).with_name("style.css")
_PICTURE = "picture"


def detail(serving: Serving, engine: Engine, query: Query) -> None:
    """Open the picture that the address names over the page, if it names one.

    Args:
        serving: what the server may do.
        engine: the index.
        query: what is asked on the page.
    """
    if _PICTURE in st.query_params:
        _dialog(serving, engine, query)


def close() -> None:
    """Go back to the page."""
    change(picture="")


# One title for all pictures: another would be another dialog, which closes and opens at every step.
@st.dialog("Picture", width="large", on_dismiss=close)
def _dialog(serving: Serving, engine: Engine, query: Query) -> None:
    if _PICTURE not in st.query_params:  # a button asked for something else
        st.rerun()
    try:
        _draw(serving, engine, query, engine.get(_named()))
    except ClipsearchError as error:
        st.error(plain(str(error)))
        st.button("Back to the pictures", key="detail-back", on_click=close)


def _named() -> int:
    named = st.query_params[_PICTURE]
    if not (named.isascii() and named.isdecimal() and len(named) <= 18):
        raise QueryError("The address asks for a picture, but does not give its number; go back to the pictures.")
    return int(named)


def _draw(serving: Serving, engine: Engine, query: Query, row: Mapping[str, Any]) -> None:
    """What is at hand first; what takes reading the file last."""
    st.html(_STYLE)
    file = engine.index.file(row["id"])
    _said(row, engine.index.computed)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        large(engine.key, row)
    with right:
        _asks(query, row["id"])
        file_actions(serving, engine.key, row, file)
        st.html(listed(facts(row, file.parent)))
    with left:
        neighbours(engine, row["id"])
    with right:
        if row["latitude"] is not None and row["longitude"] is not None:
            place(row["latitude"], row["longitude"])
        tags(engine, row)


def _said(row: Mapping[str, Any], computed: Iterable[str]) -> None:
    """The caption, or else the name, and the labels."""
    chips = "".join(f"<li>{clamped(label)}</li>" for label in labels(row, computed))
    said = row["caption"] or row["path"].rpartition("/")[2]
    st.html(f'<div class="said">{clamped(said)}</div>' + (f'<ul class="labels">{chips}</ul>' if chips else ""))


def _asks(query: Query, picture_id: int) -> None:
    term = Term("like", str(picture_id))
    with st.container(horizontal=True, gap="small", key="detail-asks"):
        st.button("More like this", key="detail-more", on_click=more_like, args=(picture_id,), type="primary")
        if not query.is_empty:
            st.button("Add to the query", key="detail-add", on_click=partial(ask, query.plus(term)))
            st.button("Less like this", key="detail-less", on_click=less_like, args=(query, picture_id))
