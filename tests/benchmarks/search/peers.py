"""Side by side with other engines at the same recall: the least effort that reaches `TARGET` for both kinds of query.

Each engine is built and asked in processes of its own, and asked by one thread, one query at a time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from .engine import K, index_files
from .engine import measure as measure_ours
from .measure import Memory, Times, alone, available, bytes_in, memory, table, times
from .peer_engines import PEERS, Peer
from .truth import recall
from .workspace import KINDS, Workspace

TARGET = 0.98
TRIED = 300  # queries of each kind that an effort is tried with
COLUMNS = [
    "engine",
    "effort",
    "recall@10, pictures / texts",
    "ms, pictures / texts",
    "processor's ms",
    "build, s",
    "bytes a row on disk",
    "own memory, MB",
    "mapped, MB",
    "ms x bytes on disk",
    "ms x bytes in memory",
]


@dataclass(frozen=True, slots=True)
class Found:
    """What an engine did at the least effort that reaches the target, or at its greatest."""

    effort: int
    recalls: tuple[float, ...]
    times: tuple[Times, ...]
    memory: Memory


def build(work: Workspace, name: str) -> float:
    """Build a peer's index, unless it is there; returns the seconds that took."""
    folder, record = work.folder / f"{name}-{work.rows}", work.folder / f"{name}-{work.rows}.json"
    if not record.exists():
        folder.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        PEERS[name].build(work.base(), work.rows, folder)
        record.write_text(json.dumps(time.perf_counter() - started))
    return float(json.loads(record.read_text()))


def measure(work: Workspace, name: str) -> Found:
    """Open a peer's index, find the effort that reaches the target, then time it."""
    queries = [work.queries_of(kind) for kind in KINDS]
    truths = [work.truth(kind)[:, :K] - 1 for kind in KINDS]
    import_module(PEERS[name].module)  # programs are not what is compared
    before = memory()
    peer: Peer = PEERS[name](work.folder / f"{name}-{work.rows}")

    def recalls(count: int, effort: int) -> tuple[float, ...]:
        found = [np.stack([peer.search(q, K, effort) for q in some[:count]]) for some in queries]
        return tuple(recall(f, t[:count]) for f, t in zip(found, truths, strict=True))

    effort = next((e for e in peer.efforts if min(recalls(TRIED, e)) >= TARGET), peer.efforts[-1])
    reached = recalls(len(queries[0]), effort)
    spent = tuple(times(lambda q: peer.search(q, K, effort), some) for some in queries)
    return Found(effort, reached, spent, memory() - before)


def run(work: Workspace, names: Sequence[str] | None = None) -> None:
    """Print a line an engine as it is measured, ours first."""
    for kind in KINDS:
        work.truth(kind)
    print(table(COLUMNS, []), flush=True)
    ours = alone(measure_ours, work)
    files = [*work.index.glob("segments/*/vectors.npy"), *index_files(work)]
    found = Found(0, ours.recalls, ours.times, ours.memory)
    _print(
        "clipsearch",
        f"as built ({ours.plan.name})",
        work,
        found,
        work.build["publish_seconds"],
        sum(map(bytes_in, files)),
    )
    for name in names or PEERS:
        peer = PEERS[name]
        needed, free = peer.bytes_held * work.rows, available()
        if needed > free:
            sum_ = f"{work.rows:,} x {peer.bytes_held:,} bytes = {needed / 1e9:.0f} GB"
            print(f"| {peer.name} | does not fit: {sum_}, {free / 1e9:.0f} GB free |" + " |" * (len(COLUMNS) - 2))
            continue
        seconds = alone(build, work, name)
        found = alone(measure, work, name)
        _print(peer.name, str(found.effort), work, found, seconds, bytes_in(work.folder / f"{name}-{work.rows}"))


def _print(engine: str, effort: str, work: Workspace, found: Found, seconds: float, size: int) -> None:
    slower = max(spent.processor for spent in found.times)
    held = found.memory.own + found.memory.mapped
    cells = (
        engine,
        effort,
        " / ".join(f"{r:.3f}" for r in found.recalls),
        " / ".join(f"{t.median:.2f}" for t in found.times),
        " / ".join(f"{t.processor:.2f}" for t in found.times),
        f"{seconds:.0f}",
        f"{size / work.rows:,.0f}",
        f"{found.memory.own / 1e6:,.0f}",
        f"{found.memory.mapped / 1e6:,.0f}",
        f"{slower * size / work.rows:,.0f}",
        f"{slower * held / work.rows:,.0f}",
    )
    print("| " + " | ".join(cells) + " |", flush=True)
