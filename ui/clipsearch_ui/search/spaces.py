"""Which embedding space is asked, where an index has several: `in=NAME` in the page's address."""

from __future__ import annotations

import streamlit as st

from clipsearch_ui.engine import Engine
from clipsearch_ui.following import following
from clipsearch_ui.search.query import change

_SPACE = "in"


def space_asked() -> str | None:
    """The space that the address names; None for those that answer by default."""
    return st.query_params.get(_SPACE) or None


def space_choice(engine: Engine) -> None:
    """Draw the choice of a space; nothing where there is but one."""
    spaces = engine.index.spaces
    if len(spaces.spaces) == 1:
        return
    default, asked = [name for name, _ in spaces.answering], space_asked() or ""
    names = {"": " + ".join(default)} | {name: name for name in spaces.names if [name] != default}
    names.setdefault(asked, asked)  # one that is not there is shown as well: the page says what is wrong with it
    st.selectbox(
        "Embedding space",
        list(names),
        format_func=names.__getitem__,
        key="space",
        label_visibility="collapsed",
        width=180,
        on_change=following("space", asked, lambda name: change(**{_SPACE: name})),
    )
