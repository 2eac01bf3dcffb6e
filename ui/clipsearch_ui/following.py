"""Widgets that follow the address, and change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def following(key: str, value: Any, change: Callable[[Any], None]) -> Callable[[], None]:
    """Have the widget `key`, about to be drawn, show a value; returns its `on_change`.

    Streamlit calls that, too, when a run of the page was cut short before it came to the widget: with what the browser
    still shows, which the address has moved on from. So `change` hears only of values that are new.
    """
    known = f"{key} known"
    st.session_state[key] = st.session_state[known] = value

    def changed() -> None:
        new = st.session_state[key]
        if new != st.session_state.get(known):
            st.session_state[known] = new
            change(new)

    return changed
