"""The search field and, beside it, other ways to say what is looked for."""

from __future__ import annotations

import streamlit as st

from clipsearch_ui.engine import Engine
from clipsearch_ui.following import following
from clipsearch_ui.search.by_picture import by_picture, pasted_or_dropped
from clipsearch_ui.search.by_url import by_url
from clipsearch_ui.search.query import LESS, Query, Term, ask
from clipsearch_ui.search.spaces import space_choice
from clipsearch_ui.serving import Serving

_TEXT, _MORE_TEXT, _MORE_KIND = "text", "more-text", "more-kind"

_AS = {"and": "as well", "less": "less of", "never": "without"}


def search_bar(serving: Serving, engine: Engine, query: Query) -> None:
    """Draw the search field, "By picture", "Add words" and, where there are several, the embedding spaces."""
    with st.container(key="search", horizontal=True, vertical_alignment="center"):
        st.text_input(
            "Search",
            key=_TEXT,
            placeholder="What does the picture show?",
            label_visibility="collapsed",
            on_change=following(_TEXT, query.text, lambda text: ask(query.with_text(text.strip()))),
        )
        with st.popover("By picture", icon=":material/image_search:", width="content"):
            by_picture(engine, query)
            by_url(serving, engine, query)
        with st.popover("Add words", icon=":material/add:", width="content"):
            _words(query)
        space_choice(engine)
    pasted_or_dropped(engine, query)


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
