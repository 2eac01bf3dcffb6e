"""What a user waits for: `Index.search` with its hits' metadata, and `clipsearch search --like` as a process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

import clipsearch
from clipsearch import Filter

from .engine import K
from .measure import alone, table, times
from .workspace import KINDS, Workspace

PROCESSES = 10
CALLS: dict[str, dict[str, Any]] = {
    "k=10": {"k": 10},
    "k=100": {"k": 100},
    "k=10_000": {"k": 10_000},
    "where='lottery < 0.1'": {"where": "lottery < 0.1"},
    "where='lottery < 0.001'": {"where": "lottery < 0.001"},
    "where=Filter(after=2024, camera='iPhone')": {"where": Filter(after="2024", camera="iPhone")},
    "unique=True": {"unique": True},
}


def measure(work: Workspace) -> list[tuple[object, ...]]:
    """Whole queries by vector, warm, one line a call."""
    queries = np.concatenate([work.queries_of(kind) for kind in KINDS])
    lines = []
    with clipsearch.open(work.index) as index:
        for shown, given in CALLS.items():
            for query in queries[:: len(queries) // 20]:
                index.search(vector=query, **given)
            spent = times(lambda query: index.search(vector=query, **given), queries)  # noqa: B023  (called at once)
            cells = (spent.median, spent.p95, spent.processor)
            lines.append((f"`index.search(vector=v, {shown})`", *(f"{ms:.2f}" for ms in cells)))
        started = time.perf_counter()
        index.search_many(queries, k=K)
        each = 1e3 * (time.perf_counter() - started) / len(queries)
        lines.append(
            (f"`index.search_many(vectors, k={K})`, {len(queries):,} vectors, for each", f"{each:.2f}", "", "")
        )
    return lines


def cold(work: Workspace) -> tuple[object, ...]:
    """`clipsearch search --like ID` as a new process each time, a different picture each time."""
    spent, busy = [], 0.0
    for number in range(PROCESSES + 1):
        command = [sys.executable, "-m", "clipsearch", "search", "--like", str(1 + number * work.rows // 20)]
        started, before = time.perf_counter(), sum(os.times()[2:4])
        subprocess.run([*command, "--index", str(work.index), "--paths"], check=True, capture_output=True)
        spent.append(1e3 * (time.perf_counter() - started))
        busy = 1e3 * (sum(os.times()[2:4]) - before)
    spent = spent[1:]  # the first one reads the program from the disk
    what = f"`clipsearch search --like ID` as a process, best {min(spent):.0f}"
    return what, f"{np.median(spent):.0f}", f"{np.quantile(spent, 0.95):.0f}", f"{busy:.0f}"


def report(work: Workspace) -> str:
    """A table for one size."""
    lines = [*alone(measure, work), cold(work)]
    return table([f"{work.rows:,} rows, ms", "median", "p95", "processor"], lines)
