"""The pictures that resemble one most."""

from __future__ import annotations

import streamlit as st

from clipsearch_ui.components import component
from clipsearch_ui.engine import Engine
from clipsearch_ui.search.query import change
from clipsearch_ui.search.tiles import Tile

_COUNT = 12
_STRIP = component("strip", "elements")


def neighbours(engine: Engine, picture_id: int) -> None:
    """Draw the nearest pictures side by side; each opens in the place of the one it resembles."""
    hits = engine.index.search(like=[picture_id], k=_COUNT + 1)
    tiles = [Tile.of(hit.metadata, engine.key, hit.score) for hit in hits if hit.id != picture_id][:_COUNT]
    if tiles:
        _STRIP(
            data={"title": "Resembles", "tiles": [tile.plain() for tile in tiles]}, key="strip", on_open_change=_open
        )


def _open() -> None:
    change(picture=str(st.session_state["strip"].open))
