"""Exact nearest neighbours, by brute force over blocks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .vectors import Floats

Positions = NDArray[np.int64]
CHUNK = 20_000


def exact(queries: Floats, base: Iterable[Floats], k: int, kept: NDArray[np.bool_] | None = None) -> Positions:
    """Positions int64 [m, k] of each query's nearest rows, best first, -1 where there are fewer than k.

    `base` comes in blocks, float16 or float32 [n, dim]; `kept`, one flag a row, says which rows may be found.
    """
    scores = np.full((len(queries), k), -np.inf, np.float32)
    found = np.full((len(queries), k), -1, np.int64)
    start = 0
    for block in base:
        for low in range(0, len(block), CHUNK):
            rows = block[low : low + CHUNK]
            positions = np.arange(start + low, start + low + len(rows))
            if kept is not None:
                rows, positions = rows[kept[positions]], positions[kept[positions]]
            scores, found = _better(scores, found, queries @ rows.astype(np.float32).T, positions)
        start += len(block)
    return found


def _better(scores: Floats, found: Positions, products: Floats, positions: Positions) -> tuple[Floats, Positions]:
    """The k best of what was found and of new products [m, n] at `positions` [n]."""
    k = scores.shape[1]
    if products.shape[1] > k:
        # Most blocks hold few rows that are good enough, so look for those alone.
        best = np.argpartition(products, -k, axis=1)[:, -k:]
        products, positions = np.take_along_axis(products, best, axis=1), positions[best]
    else:
        positions = np.broadcast_to(positions, products.shape)
    every = np.concatenate([scores, products], axis=1)
    ids = np.concatenate([found, positions], axis=1)
    order = np.argsort(-every, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(every, order, axis=1), np.take_along_axis(ids, order, axis=1)


def recall(found: Positions, truth: Positions) -> float:
    """Mean share of a query's true neighbours that were found; -1 stands for none in either."""
    wanted = truth >= 0
    hits = [np.isin(t[w], f).sum() for f, t, w in zip(found, truth, wanted, strict=True)]
    return float(np.sum(hits) / wanted.sum()) if wanted.any() else 1.0
