"""The terms of the query side by side, each with its weight and a way to take it out."""

from __future__ import annotations

from html import escape

import streamlit as st

from clipsearch_ui.engine import Engine
from clipsearch_ui.following import following
from clipsearch_ui.search.query import Query, Term, ask
from clipsearch_ui.search.tiles import Tile
from clipsearch_ui.text import plain

_MOST = 2.0


def chips(engine: Engine, query: Query) -> None:
    """Draw the terms of a query.

    Raises:
        QueryError: one of its pictures is not there.
    """
    if not query.terms:
        return
    with st.container(key="chips", horizontal=True, vertical_alignment="center", gap="small"):
        for number, term in enumerate(query.terms):
            _chip(engine, query, term, number)
        if len(query.terms) > 1:
            st.button("Start over", key="clear", type="tertiary", on_click=ask, args=(Query(),))


def _chip(engine: Engine, query: Query, term: Term, number: int) -> None:
    name, thumbnail = _shown(engine, term)
    with st.container(key=f"chip-{number}", horizontal=True, vertical_alignment="center", gap=None, width="content"):
        if thumbnail:
            st.html(f'<img src="{thumbnail}" alt="{escape(name)}">', width="content")
        if term.kind == "not":
            st.markdown(f"without {plain(name)}", width="content")
        else:
            weight = f" · {term.weight:g}" if len(query.terms) > 1 or term.weight != 1 else ""
            with st.popover(plain(name) + weight, type="tertiary", width="content"):
                _weight(query, term, number)
        st.button(
            f"Take out {plain(name)}",
            key=f"remove-{number}",
            icon=":material/close:",
            type="tertiary",
            on_click=ask,
            args=(query.without(term),),
        )


def _weight(query: Query, term: Term, number: int) -> None:
    key = f"weight-{number}"
    shown = min(max(term.weight, -_MOST), _MOST)
    weigh = following(key, shown, lambda weight: ask(query.weighing(term, round(weight, 2))))
    st.slider("Weight; below zero it pushes away", -_MOST, _MOST, step=0.1, key=key, on_change=weigh)


def _shown(engine: Engine, term: Term) -> tuple[str, str]:
    """A term's name and where its picture is served, if it is one."""
    if term.kind == "image":
        engine.query_picture(term.value)
        return "Your picture", f"/pictures/{engine.key}/asked/{term.value}"
    if term.kind == "like":
        tile = Tile.of(engine.get(int(term.value)), engine.key)
        return tile.name, tile.thumbnail
    return term.value, ""
