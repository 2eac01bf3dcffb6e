"""What a picture's file says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import groupby
from typing import Any

import streamlit as st

from clipsearch.errors import PictureError
from clipsearch.pictures.tags import read_tags
from clipsearch_ui.detail.facts import listed
from clipsearch_ui.engine import Engine


def tags(engine: Engine, row: Mapping[str, Any]) -> None:
    """Draw the tags of a picture's file, folded; nothing where it has none, or is gone: the picture says so itself."""
    try:
        found = read_tags(engine.original(row["id"], row["content_hash"]))
    except PictureError:
        return
    if not found:
        return
    with st.expander(f"EXIF and other tags of the file ({len(found)})"):
        for group, members in groupby(found, lambda tag: tag.group):
            st.html(f"<h4 class='group'>{escape(group)}</h4>" + listed((tag.name, tag.value) for tag in members))
