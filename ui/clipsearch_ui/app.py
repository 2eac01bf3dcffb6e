"""The page of all pages: which index, which page, and a word on the index.

Streamlit runs this file anew at every action of a user; `show` is one such run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from clipsearch.errors import ClipsearchError
from clipsearch_ui.components import component
from clipsearch_ui.duplicates import page as duplicates
from clipsearch_ui.engine import Engine, open_engine
from clipsearch_ui.library import page as library
from clipsearch_ui.map import page as collection_map
from clipsearch_ui.search import page as search
from clipsearch_ui.serving import Serving, key_of, serving
from clipsearch_ui.text import pictures, plain

_STYLE = Path(__file__).with_name("style.css")
# A file of ours: Streamlit's own icons and emoji are fetched from elsewhere when they stand in the browser's tab.
_ICON = Path(__file__).with_name("icon.svg")
_INDEX = "index"
_VERSIONS = component("versions")

Show = Callable[[Serving, Engine], None]


def show(serving: Serving) -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="clipsearch", page_icon=_ICON, layout="wide")
    st.html(_STYLE)
    try:
        engine = open_engine(_chosen(serving))
        engine.refresh()
    except ClipsearchError as error:
        st.error(plain(str(error)))
        return
    page = st.navigation(
        [_page(title, icon, place, show_page, serving, engine) for title, icon, place, show_page in _PAGES],
        position="top",
    )
    page.run()
    with st.sidebar:
        _about(engine)
    _follow(engine)


_PAGES: list[tuple[str, str, str, Show]] = [
    ("Search", "search", "", search.show),
    ("Map", "map", "map", collection_map.show),
    ("Duplicates", "content_copy", "duplicates", duplicates.show),
    ("Library", "photo_library", "library", library.show),
]


def _page(title: str, icon: str, place: str, show_page: Show, serving: Serving, engine: Engine) -> st.Page:
    return st.Page(
        partial(show_page, serving, engine), title=title, icon=f":material/{icon}:", url_path=place, default=not place
    )


def _chosen(serving: Serving) -> Path:
    """The index that the address names, or that was looked at last; the server's own otherwise."""
    key = st.query_params.get(_INDEX, st.session_state.get(_INDEX))
    path = serving.find(key) or serving.index
    st.session_state[_INDEX] = key_of(path)
    return path


def _about(engine: Engine) -> None:
    index = engine.index
    # Not `st.code`: for it a browser fetches and reads 1.5 MB of what draws programs in every language.
    st.caption(plain(str(index.path)))
    st.caption(plain(f"{pictures(len(index))} · model {index.model} · version {index.version}"))


def _follow(engine: Engine) -> None:
    """Draw anew what is on the screen once another version is published."""
    _VERSIONS(
        key="versions",
        data={"version": engine.index.version, "address": f"/pictures/{engine.key}/version"},
        on_published_change=lambda: None,
    )


if __name__ == "__main__":
    show(serving())
