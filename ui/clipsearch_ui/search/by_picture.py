"""Ways to search by a picture of one's own: upload it, paste it, drop it anywhere on the page."""

from __future__ import annotations

from functools import partial

import streamlit as st

from clipsearch.errors import ClipsearchError
from clipsearch_ui.components import component
from clipsearch_ui.engine import Engine
from clipsearch_ui.search.query import Query, Term, ask
from clipsearch_ui.text import plain

_GIVEN = component("given")
_UPLOADS, _REFUSED = "uploads", "refused"


def by_picture(engine: Engine, query: Query) -> None:
    """Draw the upload, and take what is pasted or dropped."""
    # A new key is a new, empty upload: once taken, the picture lives in the address.
    key = f"upload {st.session_state.setdefault(_UPLOADS, 0)}"
    st.file_uploader(
        "Find pictures that resemble this one",
        key=key,
        on_change=_take_upload,
        args=(engine, query, key),
        help="A picture can also be pasted, or dropped anywhere on the page.",
    )


def pasted_or_dropped(engine: Engine, query: Query) -> None:
    """Take a picture that is pasted or dropped anywhere on the page; say so where it could not be taken."""
    _GIVEN(
        key="given",
        data={"upload": f"/pictures/{engine.key}/asked"},
        on_given_change=partial(_take_given, query),
        on_refused_change=lambda: _refuse(st.session_state["given"].refused),
    )
    if said := st.session_state.pop(_REFUSED, None):
        st.error(plain(said))


def add_picture(query: Query, known_as: str) -> None:
    """Ask for what resembles a kept picture, too."""
    ask(query.plus(Term("image", known_as)))


def _take_upload(engine: Engine, query: Query, key: str) -> None:
    upload = st.session_state[key]
    if upload is None:
        return
    try:
        add_picture(query, engine.keep_query_picture(upload.getvalue()))
    except ClipsearchError as error:
        _refuse(str(error))
    st.session_state[_UPLOADS] += 1


def _take_given(query: Query) -> None:
    add_picture(query, st.session_state["given"].given)


def _refuse(sentence: str) -> None:
    st.session_state[_REFUSED] = sentence
