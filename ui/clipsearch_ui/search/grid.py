"""The pictures found, in rows of one height."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from clipsearch_ui.components import component
from clipsearch_ui.search.query import LESS, Query, Term, ask, change
from clipsearch_ui.search.tiles import Tile

_GRID = component("grid", "elements")


def grid(tiles: Sequence[Tile], query: Query, what: str) -> None:
    """Draw the tiles found for a query; each opens, and asks for more or less of its like.

    `what` says what they answer; it stands in the document for whoever waits for it.
    """
    _GRID(
        data={"what": what, "tiles": [tile.plain() for tile in tiles], "less": not query.is_empty},
        key="grid",
        on_open_change=_open,
        on_more_change=_more,
        on_less_change=partial(_less, query),
    )


def more_like(picture_id: int) -> None:
    """Ask for pictures that resemble one of the index, and for nothing else."""
    ask(Query((Term("like", str(picture_id)),)))


def less_like(query: Query, picture_id: int) -> None:
    """Push a query away from a picture of the index."""
    ask(query.plus(Term("like", str(picture_id), LESS)))


def _open() -> None:
    change(picture=str(st.session_state["grid"].open))


def _more() -> None:
    more_like(st.session_state["grid"].more)


def _less(query: Query) -> None:
    less_like(query, st.session_state["grid"].less)
