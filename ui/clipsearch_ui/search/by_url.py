"""A picture to search by from the web, where that was switched on."""

from __future__ import annotations

import streamlit as st

from clipsearch.errors import ClipsearchError
from clipsearch.web import fetch_picture
from clipsearch_ui.engine import Engine
from clipsearch_ui.routes import MAX_UPLOAD
from clipsearch_ui.search.by_picture import add_picture
from clipsearch_ui.search.query import Query
from clipsearch_ui.serving import Serving
from clipsearch_ui.text import plain

_ADDRESS, _REFUSED = "picture-address", "picture-address-refused"


def by_url(serving: Serving, engine: Engine, query: Query) -> None:
    """Draw the field for a picture's address; where nothing may be fetched, say how to switch that on."""
    if not serving.urls:
        st.caption("To search by a picture from the web, start the page with `clipsearch ui --fetch-urls`.")
        return
    st.text_input("Address of a picture", key=_ADDRESS, placeholder="https://…", on_change=_fetch, args=(engine, query))
    if said := st.session_state.pop(_REFUSED, None):
        st.error(plain(said))


def _fetch(engine: Engine, query: Query) -> None:
    url = st.session_state[_ADDRESS].strip()
    if not url:
        return
    try:
        known_as = engine.keep_query_picture(fetch_picture(url, limit=MAX_UPLOAD))
    except ClipsearchError as error:
        st.session_state[_REFUSED] = str(error)
        return
    st.session_state[_ADDRESS] = ""
    add_picture(query, known_as)
