"""Filtered search against filtered brute force, at selectivities from all pictures to one in 100,000."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import faiss
import numpy as np

from clipsearch.store.snapshot import Snapshot

from .engine import K, shown
from .measure import alone, table, times
from .truth import exact, recall
from .vectors import Floats
from .workspace import KINDS, Workspace

SELECTIVITIES = (1.0, 0.5, 0.1, 0.01, 0.001, 0.00001)
COLUMNS = {"random": ("lottery", 0.0), "clustered": ("shelf", 0.3)}
"""What is filtered by, and where the interval of values that pass begins."""


def measure(work: Workspace, queries: int) -> list[tuple[object, ...]]:
    """One line a filter."""
    faiss.omp_set_num_threads(1)
    snapshot = Snapshot(work.index)
    return [line for share in SELECTIVITIES for line in _lines(work, snapshot, share, queries)]


def _lines(work: Workspace, snapshot: Snapshot, share: float, queries: int) -> Iterator[tuple[object, ...]]:
    for name, (column, low) in COLUMNS.items():
        kept = work.kept(column, 0 if share == 1 else low, 1 if share == 1 else low + share)
        among = 1 + np.flatnonzero(kept)
        asked = [work.queries_of(kind)[:queries] for kind in KINDS]
        plans: Counter[str] = Counter()
        candidates = []

        def ask(query: Floats) -> np.ndarray:
            found = snapshot.nearest(query[None], K, among=among)  # noqa: B023  (called before the next round)
            plans[found.plan.name] += 1  # noqa: B023
            candidates.append(found.plan.candidates)  # noqa: B023
            return found.ids[0]

        recalls, shortest = [], K
        for some in asked:
            ids = [ask(query) for query in some]
            shortest = min(shortest, *map(len, ids))
            padded = np.stack([np.pad(i, (0, K - len(i)), constant_values=-2) for i in ids])
            truth = exact(some, work.base(), K, kept)
            recalls.append(recall(padded, np.where(truth < 0, -1, truth + 1)))
        spent = times(ask, np.concatenate(asked))
        yield (
            f"{100 * share:g} %",
            name,
            f"{len(among):,}",
            " / ".join(f"{r:.4f}" for r in recalls),
            shortest,
            shown(spent),
            ", ".join(plan for plan, _ in plans.most_common()),
            f"{np.median(candidates):,.0f}",
        )


def report(work: Workspace, queries: int = 200) -> str:
    """A table for one size."""
    columns = ["pass", "which", "survivors", "recall@10, pictures / texts", "shortest list"]
    columns += ["ms, median / p95 / processor", "plan", "scored exactly"]
    return table(columns, alone(measure, work, queries))
