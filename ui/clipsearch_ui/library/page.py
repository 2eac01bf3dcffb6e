"""The library page: the indexes known, adding pictures to them, and what could not be read."""

from __future__ import annotations

import streamlit as st

from clipsearch.errors import ClipsearchError
from clipsearch_ui.engine import Engine
from clipsearch_ui.library.add import add
from clipsearch_ui.library.failures import failures
from clipsearch_ui.library.indexes import indexes
from clipsearch_ui.library.words import name_of
from clipsearch_ui.serving import Serving
from clipsearch_ui.text import plain


def show(serving: Serving, engine: Engine) -> None:
    """Draw the page."""
    st.subheader("Indexes", anchor=False)
    indexes(serving, engine)
    st.subheader("Add pictures", anchor=False)
    if serving.local:
        add(serving, engine)
    else:
        st.caption("Pictures are added on the machine itself: start a page there without `--host` and `--token`.")
    st.subheader(f"Not readable in {plain(name_of(engine.index.path))}", anchor=False)
    try:
        failures(engine, retries=serving.local)
    except ClipsearchError as error:
        st.error(plain(str(error)))
