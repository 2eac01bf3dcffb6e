"""The pictures found, in rows of one height."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from clipsearch_ui.search_bar import more_like
from clipsearch_ui.tiles import Tile, picture


def grid(tiles: Sequence[Tile]) -> None:
    """Draw tiles, each with what is known of it and a button to find more like it."""
    with st.container(key="grid", horizontal=True, gap="small"):
        st.html(f"<style>{''.join(map(_aspect, tiles))}</style>")
        for tile in tiles:
            with st.container(key=f"tile-{tile.id}", gap=None):
                st.html(picture(tile) + _about(tile))
                st.button("More like this", key=f"more-{tile.id}", type="tertiary", on_click=more_like, args=(tile.id,))


def _aspect(tile: Tile) -> str:
    """What style.css needs to lay out a tile."""
    return f".st-key-grid > :has(> .st-key-tile-{tile.id}) {{ --aspect: {tile.aspect:.3f}; }}"


def _about(tile: Tile) -> str:
    score = "" if tile.score is None else f"<b>{tile.score:.2f}</b> "
    known = [tile.label]
    if tile.score is not None:
        known.append(
            f"score {tile.score:.3f}" + ("" if tile.relevance is None else f", relevance {tile.relevance:.2f}")
        )
    return f'<p class="about-picture" title="{escape(chr(10).join(known))}">{score}{escape(tile.name)}</p>'
