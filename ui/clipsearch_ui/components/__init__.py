"""What Streamlit has no element for: a few lines of script each, NAME.js beside an optional NAME.css.

A component is a function of Streamlit: `NAME(data=…, key=…, on_EVENT_change=callback)`. Its script exports one function
that draws `data` into `parentElement` and reports with `setTriggerValue("EVENT", value)`; it is called anew whenever
the data change, with the same element.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

_HERE = Path(__file__).parent


def component(name: str, *before: str) -> ComponentRenderer:
    """The component whose script is `name`.js, drawn into the page's own document with the page's styles; the scripts
    named `before` stand before it (`elements` has what several share)."""
    style = _HERE / f"{name}.css"
    return st.components.v2.component(
        f"clipsearch.{name}",
        js="\n".join((_HERE / f"{part}.js").read_text("utf-8") for part in (*before, name)),
        css=style.read_text("utf-8") if style.exists() else None,
        isolate_styles=False,
    )
