"""The map page: every picture as a point, its like beside it."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st

from clipsearch_ui.components import component
from clipsearch_ui.engine import Engine
from clipsearch_ui.map.chart import Chart, Making, latest_chart, making
from clipsearch_ui.map.colours import FOLDER, colouring, columns
from clipsearch_ui.search.query import change
from clipsearch_ui.serving import Serving
from clipsearch_ui.text import pictures, plain

_MAP = component("map", "elements", "map_view", "map_points", "map_drawing", "map_canvas")
_COLOUR, _NOTHING = "colour", "nothing"
_SOON, _EVERY = 1.0, 0.5  # seconds until progress is shown, and between two looks at it


def show(serving: Serving, engine: Engine) -> None:
    """Draw the page."""
    if not len(engine.index):
        st.info("There is no picture to show; add some with `clipsearch index`.")
        return
    work = making(engine)
    running = not work.wait(_SOON)
    st.fragment(_progress, run_every=_EVERY if running else None)(work, running)
    chart = work.chart or latest_chart(engine.key)
    if chart is not None and len(chart.ids):
        _draw(serving, engine, chart)


def _progress(work: Making, was_running: bool) -> None:
    """How far it is, or why it broke off."""
    running = not work.wait(0)
    if was_running and not running:
        st.rerun()
    if work.error is not None:
        st.error(plain(work.error))
    elif running:
        share = min(work.done / work.total, 1.0) if work.total else 0.0
        stage = {"laying out": "Laying out the map", "placing": "Placing pictures on the map"}.get(
            work.stage, "Reading"
        )
        st.progress(share, text=f"{stage} … this is done once and kept.")


def _draw(serving: Serving, engine: Engine, chart: Chart) -> None:
    choices = (_NOTHING, *columns(engine))
    chosen = st.query_params.get(_COLOUR, FOLDER)
    chosen = chosen if chosen in choices else _NOTHING
    st.session_state[_COLOUR] = chosen
    with st.container(key="map-controls", horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Colour by", choices, key=_COLOUR, on_change=_recolour, width=220)
        st.caption(_said(chart))
    found = colouring(engine, chart, chosen)
    elsewhere = "" if engine.index.path == serving.index else f"index={engine.key}&"
    _MAP(
        data={
            "points": f"/pictures/{engine.key}/map/{chart.version}",
            "pictures": f"/pictures/{engine.key}/on-map",
            "colour": chosen,
            "legend": asdict(found.legend),
            "count": len(chart.ids),
            "link": f"/?{elsewhere}",
        },
        key="map",
    )


def _said(chart: Chart) -> str:
    said = pictures(len(chart.ids))
    if len(chart.ids) > 1 and not chart.points.any():
        return f"{said}, all alike to the model: they lie in one place."
    return f"{said}; what looks alike lies side by side."


def _recolour() -> None:
    change(colour=st.session_state[_COLOUR])
