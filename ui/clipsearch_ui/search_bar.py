"""The search field, the picture to resemble, and the query they make."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from clipsearch_ui.engine import Engine
from clipsearch_ui.query import Query, ask, everything_in_address, like_in_address, text_in_address
from clipsearch_ui.shrink import shrink
from clipsearch_ui.tiles import Tile, picture

_TEXT = "text"
_UPLOADS = "uploads"


def search_bar() -> Query:
    """Draw the search field and the upload beside it; returns what is asked.

    The page's address is the truth and the field follows it, so bookmarks and the back button work.

    Raises:
        QueryError: the address is not one of this page.
    """
    with st.container(key="search", horizontal=True, vertical_alignment="center"):
        st.session_state[_TEXT] = text_in_address()
        st.text_input(
            "Search",
            key=_TEXT,
            placeholder="What does the picture show?",
            label_visibility="collapsed",
            on_change=lambda: ask(q=st.session_state[_TEXT].strip(), all=""),
        )
        with st.popover("By picture", icon=":material/image_search:", width="content"):
            upload = st.file_uploader(
                "Find pictures that resemble this one", key=_upload_key(), on_change=partial(ask, like="")
            )
    image = upload.getvalue() if upload else None
    return Query(text_in_address(), image, like_in_address(), everything_in_address())


def more_like(picture_id: int) -> None:
    """Ask for pictures that resemble one of the index, and for nothing else."""
    ask(q="", like=str(picture_id), all="")
    _forget_upload()


def start_over() -> None:
    """Ask for nothing."""
    ask(q="", like="", all="")
    _forget_upload()


def resembled(engine: Engine, query: Query) -> None:
    """Show the picture that is to be resembled, if there is one, with a button to take it out of the query.

    Raises:
        PictureError: the uploaded one cannot be read.
        QueryError: there is no such picture in the index.
    """
    if query.image is not None:
        small = shrink(query.image)
        with _chip("Pictures that resemble yours", _forget_upload):
            st.image(small, alt="Your picture", width="content")
    elif query.like is not None:
        tile = Tile.of(engine.get(query.like))
        with _chip(f"Pictures that resemble {tile.name}", partial(ask, like="")):
            st.html(picture(tile))


def _chip(label: str, remove: Callable[[], None]) -> DeltaGenerator:
    """A row of a picture (the returned container), a label and a button."""
    with st.container(key="resembled", horizontal=True, vertical_alignment="center"):
        picture = st.container(key="resembled-picture", width=96)
        st.html(f"<span>{escape(label)}</span>", width="content")
        st.button("Remove", key="remove", icon=":material/close:", on_click=remove)
    return picture


def _upload_key() -> str:
    """A new key is a new, empty upload."""
    return f"upload {st.session_state.get(_UPLOADS, 0)}"


def _forget_upload() -> None:
    st.session_state[_UPLOADS] = st.session_state.get(_UPLOADS, 0) + 1
