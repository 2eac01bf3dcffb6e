"""The search field and, beside it, other ways to say what is looked for."""

from __future__ import annotations

import streamlit as st

from clipsearch.errors import ClipsearchError
from clipsearch_ui.engine import Engine
from clipsearch_ui.search.query import LESS, Query, Term, ask

_TEXT, _MORE_TEXT, _MORE_KIND, _UPLOADS = "text", "more-text", "more-kind", "uploads"

_AS = {"and": "as well", "less": "less of", "never": "without"}


def search_bar(engine: Engine, query: Query) -> None:
    """Draw the search field, "By picture" and "Add words"."""
    with st.container(key="search", horizontal=True, vertical_alignment="center"):
        st.session_state[_TEXT] = query.text
        st.text_input(
            "Search",
            key=_TEXT,
            placeholder="What does the picture show?",
            label_visibility="collapsed",
            on_change=_ask_text,
            args=(query,),
        )
        with st.popover("By picture", icon=":material/image_search:", width="content"):
            _upload(engine, query)
        with st.popover("Add words", icon=":material/add:", width="content"):
            _words(query)


def _ask_text(query: Query) -> None:
    ask(query.with_text(st.session_state[_TEXT].strip()))


def _upload(engine: Engine, query: Query) -> None:
    # A new key is a new, empty upload: once taken, the picture lives in the address.
    key = f"upload {st.session_state.setdefault(_UPLOADS, 0)}"

    def taken() -> None:
        upload = st.session_state[key]
        if upload is None:
            return
        try:
            add_picture(query, engine.keep_query_picture(upload.getvalue()))
        except ClipsearchError as error:
            st.session_state["said"] = str(error)
        st.session_state[_UPLOADS] += 1

    st.file_uploader("Find pictures that resemble this one", key=key, on_change=taken)


def add_picture(query: Query, known_as: str) -> None:
    """Ask for what resembles a kept picture, too."""
    ask(query.plus(Term("image", known_as)))


def _words(query: Query) -> None:
    kind = st.segmented_control(
        "How the words count", list(_AS), default="and", format_func=_AS.__getitem__, key=_MORE_KIND, required=True
    )
    st.text_input("Words", key=_MORE_TEXT, on_change=_add_words, args=(query, kind), placeholder="grass, at night …")


def _add_words(query: Query, kind: str) -> None:
    words = st.session_state[_MORE_TEXT].strip()
    st.session_state[_MORE_TEXT] = ""
    if not words:
        return
    ask(query.plus(Term("not", words) if kind == "never" else Term("also", words, LESS if kind == "less" else 1.0)))
