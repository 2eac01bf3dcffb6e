"""Where a picture was taken."""

from __future__ import annotations

from base64 import b64encode
from functools import partial
from html import escape

import streamlit as st

from clipsearch_ui.detail.world_map import near_map, place_in_words, world_map
from clipsearch_ui.search.query import change

_NEAR_KM = 10


def place(latitude: float, longitude: float) -> None:
    """Draw a place in degrees on a map, with a way to the pictures taken near it."""
    words = place_in_words(latitude, longitude)
    near, far = near_map(latitude, longitude), world_map(latitude, longitude)
    st.html(f'<div class="maps">{_drawn(near, f"What is around {words}")}{_drawn(far, f"{words} in the world")}</div>')
    st.button(
        "Pictures taken near here",
        key="detail-near",
        icon=":material/near_me:",
        type="tertiary",
        on_click=partial(change, picture="", near=f"{latitude:.5f},{longitude:.5f},{_NEAR_KM}"),
    )


def _drawn(svg: str, name: str) -> str:
    # As a picture: Streamlit takes drawings out of HTML.
    return f'<img src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}" alt="{escape(name)}">'
