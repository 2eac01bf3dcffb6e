"""The picture itself, and the way to the one before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from clipsearch_ui.address import address
from clipsearch_ui.components import component
from clipsearch_ui.search.query import change

_LARGE = component("large", "elements")


def large(index_key: str, row: Mapping[str, Any]) -> None:
    """Draw a picture as large as fits; arrows lead through the grid of the page."""
    _LARGE(
        data={
            "id": row["id"],
            "preview": address(index_key, "previews", row["id"], row["content_hash"]),
            "thumbnail": address(index_key, "thumbnails", row["id"], row["content_hash"]),
            "label": row["caption"] or row["path"],
            "width": row["width"] or 1,
            "height": row["height"] or 1,
        },
        key="large",
        on_step_change=_step,
    )


def _step() -> None:
    change(picture=str(st.session_state["large"].step))
