"""The page: a search field, the pictures found, and a word on the index.

Streamlit runs this file anew at every action of a user; `show` is one such run.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import streamlit as st

from clipsearch.errors import ClipsearchError
from clipsearch.query.info import IndexInfo
from clipsearch_ui.engine import Engine, open_engine
from clipsearch_ui.grid import grid
from clipsearch_ui.query import Query, ask
from clipsearch_ui.search_bar import resembled, search_bar, start_over

PAGE_SIZE = 60
_STYLE = Path(__file__).with_name("style.css")
# A file of ours: Streamlit's own icons and emoji are fetched from elsewhere when they stand in the browser's tab.
_ICON = Path(__file__).with_name("icon.svg")


def show(index: Path) -> None:
    """Draw the page for the index directory `index`."""
    st.set_page_config(page_title="clipsearch", page_icon=_ICON, layout="wide")
    st.html(_STYLE)
    try:
        engine = open_engine(index)
        engine.refresh()
        _sidebar(engine.info())
        query = search_bar()
        resembled(engine, query)
        _results(engine, query)
    except ClipsearchError as error:
        st.error(_plain(str(error)))
        st.button("Start over", key="start-over", on_click=start_over)


def _sidebar(info: IndexInfo) -> None:
    pictures = f"{info.pictures:,} picture{'' if info.pictures == 1 else 's'}"
    st.sidebar.code(str(info.path), language=None, wrap_lines=True)
    st.sidebar.caption(_plain(f"{pictures} · model {info.model} · version {info.version}"))


def _results(engine: Engine, query: Query) -> None:
    pages = f"pages of {query.text!r} like {query.like} all {query.everything}"
    limit = PAGE_SIZE * st.session_state.setdefault(pages, 1)
    with st.spinner("Searching …"):
        found = engine.find(query, limit + 1)
    if not found.tiles and not found.hidden:
        st.info("There is no picture to show; add some with `clipsearch index`.")
        return
    if query.is_empty:
        st.caption("Newest pictures")
    grid(found.tiles[:limit])
    if len(found.tiles) > limit:
        st.button("Show more", key="show-more", width="stretch", on_click=_one_page_more, args=(pages,))
    elif found.hidden:
        _nothing_more(bool(found.tiles))


def _nothing_more(some: bool) -> None:
    """Say that what else is near is not what was asked for, with a way to look at it all the same."""
    if not some:
        st.subheader("Nothing here looks like that", anchor=False)
    st.caption("The other pictures have little to do with it." if some else "Other words may find it.")
    st.button("Show the nearest all the same", key="show-all", on_click=ask, kwargs={"all": "1"})


def _one_page_more(pages: str) -> None:
    st.session_state[pages] += 1


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


if __name__ == "__main__":
    show(Path(sys.argv[1]))
