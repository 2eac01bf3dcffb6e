"""The duplicates page: pictures that are there more than once side by side, and which of them to keep."""

from __future__ import annotations

from io import BytesIO
from math import ceil
from typing import cast

import streamlit as st

from clipsearch.errors import ClipsearchError
from clipsearch_ui.components import component
from clipsearch_ui.duplicates.asked import Asked, asked, page_asked
from clipsearch_ui.duplicates.cards import cards
from clipsearch_ui.duplicates.controls import controls
from clipsearch_ui.duplicates.export import as_csv, as_json
from clipsearch_ui.duplicates.groups import Groups
from clipsearch_ui.duplicates.look import Look, look, look_again
from clipsearch_ui.engine import Engine
from clipsearch_ui.search.query import change
from clipsearch_ui.serving import Serving
from clipsearch_ui.text import pictures, plain, size

PAGE_SIZE = 20
_GROUPS = component("groups", "elements")
_LOOK = "duplicates-look"
_SOON = 0.5  # seconds after which progress is shown: small indexes are through by then
_EVERY = 1.0


def show(serving: Serving, engine: Engine) -> None:
    """Draw the page."""
    st.caption("Pictures that are there more than once, and which of them to keep. Nothing is deleted here.")
    try:
        wanted = asked()
    except ClipsearchError as error:
        controls(Asked())
        st.error(plain(str(error)))
        return
    controls(wanted)
    shown = _shown(engine, wanted)
    running = not shown.wait(_SOON)
    st.fragment(_results, run_every=_EVERY if running else None)(serving, engine, shown, running)


def _shown(engine: Engine, wanted: Asked) -> Look:
    """What this session looks at: it keeps its list until it asks for another, whatever is published meanwhile."""
    shown = cast("Look | None", st.session_state.get(_LOOK))
    if shown is None or (shown.index_key, shown.asked) != (engine.key, wanted):
        if shown is not None:
            shown.stop()  # it would keep the other one waiting
        shown = st.session_state[_LOOK] = look(engine, wanted)
    return shown


def _results(serving: Serving, engine: Engine, shown: Look, was_running: bool) -> None:
    if was_running and not shown.running:
        st.rerun()  # without coming back every second
    _state(engine, shown)
    if len(shown.groups):
        _totals(shown.groups)
        _groups(serving, engine, shown.groups)
    if len(shown.groups) and shown.complete:
        _downloads(engine, shown)


def _totals(groups: Groups) -> None:
    count = len(groups)
    spare = f"{pictures(groups.spare)} ({size(groups.spare_bytes)})"
    st.markdown(f"**{count:,} group{'' if count == 1 else 's'}**; {plain(spare)} could go.")


def _groups(serving: Serving, engine: Engine, groups: Groups) -> None:
    """One page of them. Those found later come behind, so what is on a page stays there."""
    last = ceil(len(groups) / PAGE_SIZE)
    page = min(page_asked(), last)
    start = (page - 1) * PAGE_SIZE
    drawn = cards(engine, groups.between(start, start + PAGE_SIZE), start + 1)
    elsewhere = "" if engine.index.path == serving.index else f"index={engine.key}&"
    _GROUPS(data={"groups": drawn, "page": page, "link": f"/?{elsewhere}picture="}, key="groups")
    if last > 1:
        # A key for each page: the address says which it is, and a key would have its own memory.
        key = f"duplicates-page-{page}"
        st.pagination(last, default=page, key=key, on_change=_turn, args=(key,))


def _turn(key: str) -> None:
    change(page=str(st.session_state[key]))


def _state(engine: Engine, shown: Look) -> None:
    """How far it is, or how it ended."""
    if shown.running:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(shown.done / shown.total if shown.total else 0.0, text=_progress(shown))
            st.button("Stop", key="stop", icon=":material/close:", on_click=shown.stop)
        return
    if shown.error is not None:
        st.error(plain(shown.error))
    elif not shown.complete:
        st.info("Stopped before the end.")
    elif not len(shown.groups):
        st.info(_nothing(shown.asked))
    elif shown.version != engine.index.version:
        st.info("The index has changed since these were looked for.")
    else:
        return
    if not shown.complete or shown.version != engine.index.version:
        st.button("Look again", key="again", on_click=_again, args=(engine, shown))


def _progress(shown: Look) -> str:
    return f"Compared {shown.done:,} of {pictures(shown.total)}" if shown.total else "Looking …"


def _again(engine: Engine, shown: Look) -> None:
    st.session_state[_LOOK] = look_again(engine, shown)
    st.rerun()  # all of it: the fragment knows the other look


def _nothing(wanted: Asked) -> str:
    where = "In this folder no" if wanted.folder else "No"
    if wanted.level == "bytes":
        return f"{where} two pictures are equal byte for byte. Near-duplicates may be there all the same."
    return f"{where} two pictures are this similar. A lower similarity may find some."


def _downloads(engine: Engine, shown: Look) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "List as JSON",
            lambda: BytesIO(b"".join(as_json(shown, engine.index.path))),
            "duplicates.json",
            "application/json",
            on_click="ignore",
            icon=":material/download:",
        )
        st.download_button(
            "List as CSV",
            lambda: BytesIO(b"".join(as_csv(shown))),
            "duplicates.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
        )
