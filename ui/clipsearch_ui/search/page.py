"""The search page: a search field, what is asked, the pictures found."""

from __future__ import annotations

import streamlit as st

from clipsearch.errors import ClipsearchError
from clipsearch_ui.detail.dialog import detail
from clipsearch_ui.engine import Engine
from clipsearch_ui.filters.address import clear, parts, shown, wanted
from clipsearch_ui.filters.chips import clear_button, filter_chips
from clipsearch_ui.filters.panel import panel
from clipsearch_ui.search.chips import chips
from clipsearch_ui.search.find import find
from clipsearch_ui.search.grid import grid
from clipsearch_ui.search.query import Query, ask, asked, described
from clipsearch_ui.search.search_bar import search_bar
from clipsearch_ui.search.spaces import space_asked
from clipsearch_ui.search.tiles import Found, Tile
from clipsearch_ui.serving import Serving
from clipsearch_ui.text import plain

PAGE_SIZE = 60
_PAGES, _SHOWN = "pages", "shown"  # what is asked with how many pages of it; the tiles drawn with so many


def show(serving: Serving, engine: Engine) -> None:
    """Draw the page."""
    try:
        query = asked()
    except ClipsearchError as error:
        _refused(error)
        return
    detail(serving, engine, query)  # first: a picture that opens need not wait for another search
    search_bar(serving, engine, query)
    try:
        chips(engine, query)
        filter_chips()
        _results(engine, query)
    except ClipsearchError as error:
        _refused(error)
    panel(engine, asked=not query.is_empty)


def _refused(error: ClipsearchError) -> None:
    st.error(plain(str(error)))
    with st.container(horizontal=True):
        if parts():
            clear_button("refused")
        st.button("Start over", key="start-over", on_click=_start_over)


def _start_over() -> None:
    clear()
    ask(Query())


def _what(query: Query) -> str:
    filters = " ".join(f"{part.name}={part.value}" for part in parts())
    space = f"in={space_asked()}" if space_asked() else ""
    return " ".join(filter(None, [described(query.terms), "all" * query.everything, space, filters]))


def _results(engine: Engine, query: Query) -> None:
    what = _what(query)
    if st.session_state.get(_PAGES, (None, 0))[0] != what:
        st.session_state[_PAGES] = (what, 1)
        st.session_state[_SHOWN] = ((), 0)
    pages = st.session_state[_PAGES][1]
    limit = PAGE_SIZE * pages
    with st.spinner("Searching …", show_time=False):
        found = find(engine, query, limit + 1, wanted(), shown(), space_asked())
    if not found.tiles and not found.hidden:
        _nothing_there(engine)
        return
    if query.is_empty and not parts():
        st.caption("Newest pictures")
    tiles = _in_place(found, pages)
    grid(tiles, query, what)
    if len(found.tiles) > limit:
        st.button("Show more", key="show-more", width="stretch", on_click=_one_page_more)
    elif found.hidden:
        _nothing_more(query, bool(tiles))


def _nothing_there(engine: Engine) -> None:
    if not len(engine.index):
        st.info("There is no picture to show; add some with `clipsearch index`.")
        return
    st.subheader("No picture passes the filters", anchor=False)
    clear_button("nothing")


def _in_place(found: Found, pages: int) -> tuple[Tile, ...]:
    """So many pages of what was found. When one is added, those before it stay as they are, whatever has been published
    meanwhile."""
    before, drawn = st.session_state[_SHOWN]
    before = before if drawn < pages else ()
    ids = {tile.id for tile in before}
    tiles = (*before, *(tile for tile in found.tiles if tile.id not in ids))[: PAGE_SIZE * pages]
    st.session_state[_SHOWN] = (tiles, pages)
    return tiles


def _one_page_more() -> None:
    what, pages = st.session_state[_PAGES]
    st.session_state[_PAGES] = (what, pages + 1)


def _nothing_more(query: Query, some: bool) -> None:
    """Say that what else is near is not what was asked for, with a way to look at it all the same."""
    if not some:
        st.subheader("Nothing here looks like that", anchor=False)
    st.caption("The other pictures have little to do with it." if some else "Other words may find it.")
    everything = Query(query.terms, everything=True)
    st.button("Show the nearest all the same", key="show-all", on_click=ask, args=(everything,))
