"""The search engine by itself: `Snapshot.nearest` against brute force."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import duckdb  # noqa: F401  (imported before memory is read, so that it does not count as the engine's)
import faiss
import numpy as np

from clipsearch.store.nearest import Plan
from clipsearch.store.snapshot import Snapshot

from .measure import Memory, Times, alone, bytes_in, memory, table, times
from .truth import recall
from .vectors import Floats
from .workspace import KINDS, Workspace

K = 10


@dataclass(frozen=True, slots=True)
class Result:
    """Recall@10 and time of each kind of query, and what the engine holds in memory after all of them.

    `plan` is that of a warm text query.
    """

    plan: Plan
    open_ms: float
    first_ms: float
    recalls: tuple[float, ...]
    times: tuple[Times, ...]
    batch_ms: float
    memory: Memory


def measure(work: Workspace) -> Result:
    """Open the index and ask all queries, one at a time on one thread; then all pictures at once."""
    faiss.omp_set_num_threads(1)
    queries = [work.queries_of(kind) for kind in KINDS]
    before = memory()
    started = time.perf_counter()
    snapshot = Snapshot(work.index)
    opened = time.perf_counter()
    snapshot.nearest(queries[0][:1], K)
    answered = time.perf_counter()
    found = [np.concatenate([snapshot.nearest(q[None], K).ids for q in some]) for some in queries]

    def ask(query: Floats) -> object:
        return snapshot.nearest(query[None], K)

    spent = tuple(times(ask, some) for some in queries)
    held = memory() - before
    started_batch = time.perf_counter()
    snapshot.nearest(queries[0], K)
    batch_ms = 1e3 * (time.perf_counter() - started_batch) / len(queries[0])
    return Result(
        snapshot.nearest(queries[1][-1:], K).plan,
        1e3 * (opened - started),
        1e3 * (answered - opened),
        tuple(recall(f, work.truth(kind)[:, :K]) for f, kind in zip(found, KINDS, strict=True)),
        spent,
        batch_ms,
        held,
    )


def shown(spent: Times) -> str:
    """Median, 95th percentile and processor time."""
    return f"{spent.median:.2f} / {spent.p95:.2f} / {spent.processor:.2f}"


def index_files(work: Workspace) -> list[Path]:
    """What is searched beside the segments' vectors: all derived files but the catalog."""
    return [p for p in work.index.iterdir() if p.is_file() and not p.name.startswith("catalog-")]


def report(work: Workspace) -> str:
    """A table for one size."""
    for kind in KINDS:
        work.truth(kind)
    result = alone(measure, work)
    rows = work.rows
    files = {
        "vectors": sum(bytes_in(p) for p in work.index.glob("segments/*/vectors.npy")),
        "index": sum(bytes_in(p) for p in index_files(work)),
        "catalog": sum(bytes_in(p) for p in work.index.glob("catalog-*")),
    }
    picture, text = result.times
    cells = [
        ("plan", result.plan.name),
        ("scored exactly", f"{result.plan.candidates:,}"),
        ("steps of a text query, ms", ", ".join(f"{name} {ms:.2f}" for name, ms in result.plan.steps)),
        ("recall@10, pictures / texts", " / ".join(f"{r:.4f}" for r in result.recalls)),
        ("ms a picture query, median / p95 / processor", shown(picture)),
        ("ms a text query, median / p95 / processor", shown(text)),
        (f"ms a query, {work.queries:,} pictures in one call", f"{result.batch_ms:.2f}"),
        ("resident beyond mapped files, MB", f"{result.memory.own / 1e6:.0f}"),
        ("pages of mapped files touched, MB", f"{result.memory.mapped / 1e6:.0f}"),
        ("bytes a row on disk: " + " + ".join(files), " + ".join(f"{size / rows:.0f}" for size in files.values())),
        ("opening, and the first answer, ms", f"{result.open_ms:.0f}, {result.first_ms:.0f}"),
        ("appending, and publishing, s", f"{work.build['append_seconds']:.0f}, {work.build['publish_seconds']:.0f}"),
    ]
    return table(["", f"{rows:,} rows"], cells)
