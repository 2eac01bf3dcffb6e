"""Indexing from the page: what to index, how far that is, and what came of it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from clipsearch.errors import ClipsearchError, UsageError
from clipsearch.models.presets import DEFAULT, PRESETS, Preset
from clipsearch.store.layout import looks_like_index
from clipsearch_ui.engine import Engine
from clipsearch_ui.library import run as runs
from clipsearch_ui.library.run import Run
from clipsearch_ui.library.steps import Report
from clipsearch_ui.library.words import did, doing, name_of
from clipsearch_ui.serving import Serving, key_of
from clipsearch_ui.text import plain

_NEW = "new"
_INDEX, _SOURCES, _PLACE, _MODEL = "add-index", "add-sources", "add-place", "add-model"
_STARTED = "add-started"
_OWN = ".clipsearch"
_MOST_NOTES = 20


def add(serving: Serving, engine: Engine) -> None:
    """Draw the run under way, or else the last one and a form for another."""
    run = runs.latest()
    is_running = run is not None and run.is_running
    _watch(run, is_running)
    if not is_running:
        _form(serving, engine)


@st.fragment(run_every=1.0)
def _watch(drawn: Run | None, was_running: bool) -> None:
    """Draw the run anew each second, and the whole page when one begins or ends."""
    run = runs.latest()
    if run is not drawn or (run is not None and run.is_running is not was_running):
        st.rerun()
    if run is None:
        return
    match run.outcome:
        case None:
            _under_way(run)
        case str() as sentence if run.cancelled:
            st.info(plain(sentence))
        case str() as sentence:
            st.error(plain(sentence), icon=":material/error:")
        case report:
            _reported(run.index, report)


def _under_way(run: Run) -> None:
    step = run.step
    with st.container(border=True, key="run", gap="xsmall"):
        st.markdown(f"Indexing into **{plain(name_of(run.index))}**")
        st.progress(min(step.done / step.total, 1.0) if step.total else 0.0, text=plain(doing(step)))
        if run.cancelled:
            st.caption("It finishes the batch in hand and publishes what is done.")
            st.button("Stop at once", key="stop", on_click=run.cancel)
        else:
            st.button("Cancel", key="cancel", on_click=run.cancel)


def _reported(index: Path, report: Report) -> None:
    st.success(plain(f"{name_of(index)}: {did(report)}"), icon=":material/check:")
    for alias in report.offline_roots:
        st.info(plain(f"{alias} is offline (missing or empty); its pictures are kept."))
    for note in report.notes[:_MOST_NOTES]:
        st.info(plain(note))


def _form(serving: Serving, engine: Engine) -> None:
    here = {key_of(path): path for path in serving.indexes}
    st.session_state.update(st.session_state.pop(_STARTED, {}))
    if st.session_state.get(_INDEX) not in (*here, _NEW):
        st.session_state[_INDEX] = engine.key if engine.key in here else _NEW
    chosen = st.selectbox(
        "Index",
        [*here, _NEW],
        format_func=lambda key: f"{name_of(here[key])} ({here[key]})" if key in here else "A new one …",
        key=_INDEX,
    )
    with st.form("add", border=False):
        sources = st.text_area(
            "What to index: picture folders, Parquet files or globs, one a line",
            placeholder="~/Pictures\n/data/shards/*.parquet",
            key=_SOURCES,
            height=100,
        )
        place, model = _new() if chosen == _NEW else ("", None)
        if st.form_submit_button("Start", type="primary", icon=":material/play_arrow:"):
            _start(here.get(chosen), sources, place, model)


def _new() -> tuple[str, str]:
    """Where a new index is to be, and its model."""
    place = st.text_input(
        "Folder of the new index",
        placeholder="~/Pictures",
        key=_PLACE,
        help="In a folder with other things in it, the index goes into a folder `.clipsearch` of its own.",
    )
    st.session_state.setdefault(_MODEL, DEFAULT)
    model = st.radio("Model", list(PRESETS), captions=[_about(preset) for preset in PRESETS.values()], key=_MODEL)
    return place, model


def _about(preset: Preset) -> str:
    if not preset.download_mb:
        return plain(preset.summary)
    return plain(f"{preset.summary} Downloads {preset.download_mb:,} MB, unless it is here.")


def _start(index: Path | None, sources: str, place: str, model: str | None) -> None:
    listed = [line.strip() for line in sources.splitlines() if line.strip()]
    try:
        if not listed:
            raise UsageError("Name at least one folder, Parquet file or glob to index.")
        runs.index(index or new_place(place), listed, model)
    except ClipsearchError as error:
        st.error(plain(str(error)))
    else:
        # Streamlit forgets fields while they are not drawn; should the run fail, nobody wants to fill them in again.
        fields = (_INDEX, _SOURCES, _PLACE, _MODEL)
        st.session_state[_STARTED] = {field: st.session_state[field] for field in fields if field in st.session_state}
        st.rerun()


def new_place(given: str) -> Path:
    """Where a new index goes: into the folder itself, or into one of its own where that holds other things.

    Raises:
        UsageError: no folder is given, or its index is there already.
    """
    if not given.strip():
        raise UsageError("Name the folder of the new index.")
    try:
        path = Path(given.strip()).expanduser().absolute()
        in_use = path.is_dir() and any(path.iterdir())
    except (OSError, RuntimeError) as error:  # no such home
        raise UsageError(f"An index cannot be made at {given.strip()} ({error}); name another folder.") from None
    for there in (path, path / _OWN):
        if looks_like_index(there):
            raise UsageError(f"There is an index at {there} already; choose it above, or name another folder.")
    return path / _OWN if in_use else path
