"""Small pictures for the grid: upright JPEGs, kept in memory."""

from __future__ import annotations

from html import escape
from io import BytesIO

import streamlit as st
from PIL import Image

from clipsearch.errors import ClipsearchError
from clipsearch.pictures import read_picture
from clipsearch_ui.engine import Engine
from clipsearch_ui.tiles import Tile

# Twice the grid's row height, for sharp screens. A thumbnail takes about 25 kB.
_BOX = (640, 400)
_KEPT = 4_000
_QUALITY = 80


def draw(engine: Engine, tile: Tile) -> None:
    """Draw the thumbnail of an indexed picture, or a box that says why there is none."""
    try:
        st.image(_thumbnail(tile.content_hash, engine, tile.id), alt=tile.label, width="stretch")
    except ClipsearchError as error:
        st.html(f'<div class="no-picture" role="img" aria-label="{escape(tile.label)}">{escape(str(error))}</div>')


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def _thumbnail(content_hash: str, _engine: Engine, _picture_id: int) -> bytes:
    return shrink(_engine.picture(_picture_id))


def shrink(picture: bytes) -> bytes:
    """An encoded picture as a small upright JPEG.

    Raises:
        PictureError: it cannot be read.
    """
    image = read_picture(picture, draft=_BOX).image
    image.thumbnail(_BOX, Image.Resampling.BICUBIC, reducing_gap=2.0)
    small = BytesIO()
    image.save(small, "JPEG", quality=_QUALITY)
    return small.getvalue()
