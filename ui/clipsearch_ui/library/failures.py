"""Pictures of an index that could not be read, why, and another try."""

from __future__ import annotations

import streamlit as st

from clipsearch.errors import ClipsearchError
from clipsearch.store.sql import literal
from clipsearch_ui.engine import Engine
from clipsearch_ui.library import run as runs
from clipsearch_ui.text import pictures, plain

_MOST = 1000

_REASONS = "SELECT reason, count(*) AS failed FROM failures GROUP BY reason ORDER BY failed DESC, reason"
_ROWS = """
SELECT root || '/' || path AS path, reason, message, bytes, failed_at FROM failures
WHERE reason IN ({reasons}) ORDER BY failures.root, failures.path LIMIT {limit}
"""


def failures(engine: Engine, retries: bool) -> None:
    """Draw the table; with `retries` a way to try again."""
    counts = {row["reason"]: row["failed"] for row in engine.index.sql(_REASONS).to_pylist()}
    if not counts:
        st.caption("Every picture of this index could be read.")
        return
    reasons = st.pills(
        "Reason",
        list(counts),
        selection_mode="multi",
        format_func=lambda reason: f"{reason} · {counts[reason]:,}",
        key="failed-reasons",
        label_visibility="collapsed",
    )
    chosen = [reason for reason in reasons if reason in counts] or list(counts)
    _table(engine, chosen, sum(counts[reason] for reason in chosen))
    if retries:
        _retry(engine, sum(counts.values()))


def _table(engine: Engine, reasons: list[str], count: int) -> None:
    st.caption(pictures(count) + (f", of which the first {_MOST:,}; `clipsearch failures` lists all" * (count > _MOST)))
    rows = engine.index.sql(_ROWS.format(reasons=", ".join(map(literal, reasons)), limit=_MOST))
    columns = st.column_config
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "path": columns.TextColumn("Picture", width="medium"),
            "reason": columns.TextColumn("Reason", width="small"),
            "message": columns.TextColumn("What is wrong", width="large"),
            "bytes": columns.NumberColumn("Size", format="bytes", width="small"),
            "failed_at": columns.DatetimeColumn("Tried at (UTC)", format="YYYY-MM-DD HH:mm"),
        },
    )


def _retry(engine: Engine, count: int) -> None:
    run = runs.latest()
    clicked = st.button(
        "Try again" if count == 1 else f"Try all {count:,} again",
        key="retry",
        icon=":material/refresh:",
        disabled=run is not None and run.is_running,
        help=f"{pictures(count)} may have been mended, or may be readable now.",
    )
    if not clicked:
        return
    try:
        runs.retry(engine.index.path)
    except ClipsearchError as error:
        st.error(plain(str(error)))
    else:
        st.rerun()
