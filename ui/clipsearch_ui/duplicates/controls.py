"""What counts as the same picture, and where to look."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from clipsearch.query.duplicates import Level
from clipsearch.query.sameness import LEAST_COSINE
from clipsearch_ui.duplicates.asked import Asked
from clipsearch_ui.search.query import change

_LEVEL, _THRESHOLD, _FOLDER = "duplicates-level", "duplicates-threshold", "duplicates-folder"
_LEVELS: dict[Level, str] = {"bytes": "Equal files", "near": "Near-duplicates"}
_LOWEST = 0.8


def controls(wanted: Asked) -> None:
    """Draw what can be chosen; what is chosen goes into the address."""
    with st.container(horizontal=True, gap="medium"):
        st.session_state[_LEVEL] = wanted.level
        st.segmented_control(
            "What counts as the same",
            get_args(Level),
            key=_LEVEL,
            format_func=_LEVELS.__getitem__,
            on_change=_choose,
            required=True,
            help="Near-duplicates are also pictures that were resized, compressed again, trimmed or brightened.",
            width="content",
        )
        if wanted.threshold is not None:
            st.session_state[_THRESHOLD] = max(wanted.threshold, _LOWEST)
            st.slider("Least similarity", _LOWEST, 1.0, step=0.01, key=_THRESHOLD, on_change=_choose, width=220)
        st.session_state[_FOLDER] = wanted.folder
        st.text_input("Folder", key=_FOLDER, placeholder="everywhere", on_change=_choose, width=260)


def _choose() -> None:
    threshold = st.session_state.get(_THRESHOLD, LEAST_COSINE)
    near = st.session_state[_LEVEL] == "near"
    change(
        level="near" if near else "",
        threshold=f"{threshold:g}" if near and threshold != LEAST_COSINE else "",
        folder=st.session_state[_FOLDER].strip(),
        page="",
    )
