"""Measures of a ranking: pure functions of the ranks and grades of judged pairs.

A *judged pair* says that a document is an answer to a query, with a grade above 0. All functions take pairs as arrays
of equal length [m]: which query each belongs to (int), its rank (int, from 1), its grade (float). What is not judged
is no answer.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer]
Grades = NDArray[np.floating]

DEPTHS = (1, 5, 10)
"""The depths of recall that papers on retrieval print."""

MEASURES = (*(f"R@{k}" for k in DEPTHS), "MRR", "nDCG@10")
"""The names of `rank_measures`, in their order."""


def first_ranks(queries: Ints, ranks: Ints) -> NDArray[np.int64]:
    """The rank of the best answer to each query that has one, int64 [distinct queries], by ascending query."""
    _, owner = np.unique(queries, return_inverse=True)
    first = np.full(owner.max(initial=-1) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, owner, ranks)
    return first


def recall_at(first: Ints, k: int) -> float:
    """Share of queries with an answer among the best `k`, as papers on image retrieval use "R@k" (Karpathy and Fei-Fei
    2015, section 4.1); `first` are `first_ranks`. Not a number where there is no query."""
    return float(np.mean(first <= k)) if len(first) else float("nan")


def mean_reciprocal_rank(first: Ints) -> float:
    """Mean over queries of 1 / the rank of the best answer (Voorhees 1999, TREC-8 question answering track)."""
    return float(np.mean(1.0 / first)) if len(first) else float("nan")


def ndcg(queries: Ints, ranks: Ints, grades: Grades, k: int = 10) -> float:
    """Normalised discounted cumulative gain at `k`, the mean over queries, 0..1.

    The discount is log2(rank + 1) (Järvelin and Kekäläinen 2002), the gain 2**grade - 1 (Burges et al. 2005, section
    6), and each query is divided by what the best order of its answers would have.
    """
    if not len(queries):
        return float("nan")
    _, owner = np.unique(queries, return_inverse=True)
    gains = np.exp2(np.asarray(grades, np.float64)) - 1
    found = np.bincount(owner, _discounted(gains, np.asarray(ranks), k))
    ideal = np.bincount(owner, _discounted(gains, _positions(owner, -gains), k))
    return float(np.mean(found / ideal))


def rank_measures(queries: Ints, ranks: Ints, grades: Grades) -> Mapping[str, float]:
    """All `MEASURES` of one ranking of judged pairs."""
    first = first_ranks(queries, ranks)
    values = (*(recall_at(first, k) for k in DEPTHS), mean_reciprocal_rank(first), ndcg(queries, ranks, grades))
    return dict(zip(MEASURES, values, strict=True))


def _discounted(gains: NDArray[np.float64], ranks: Ints, k: int) -> NDArray[np.float64]:
    counted: NDArray[np.float64] = np.where(ranks <= k, gains / np.log2(ranks + 1.0), 0.0)
    return counted


def _positions(owner: Ints, *keys: NDArray[np.floating]) -> NDArray[np.int64]:
    """The position, from 1, of each pair among those of its owner, in ascending order of the keys, the first counting
    most."""
    order = np.lexsort((*reversed(keys), owner))
    starts = np.searchsorted(owner[order], owner[order])
    positions = np.empty(len(owner), np.int64)
    positions[order] = np.arange(len(owner)) - starts + 1
    return positions


def positions_within(queries: Ints, scores: NDArray[np.floating], grades: Grades) -> NDArray[np.int64]:
    """The position, from 1, of each judged pair among the judged pairs of its query: by falling score, and of equal
    scores the lower grade first."""
    return _positions(np.asarray(queries), -np.asarray(scores, np.float64), np.asarray(grades, np.float64))


def top_accuracy(scores: NDArray[np.floating], classes: Ints, k: int = 1) -> float:
    """Share of rows of `scores` [n, classes] whose own class is among the best `k`; ties count against."""
    own = scores[np.arange(len(scores)), classes]
    return float(np.mean((scores >= own[:, None]).sum(axis=1) <= k)) if len(scores) else float("nan")


def confusion(classes: Ints, predicted: Ints, count: int) -> NDArray[np.int64]:
    """How often each class, the row, was taken for each, the column: int64 [count, count]."""
    cells = np.bincount(np.asarray(classes) * count + predicted, minlength=count * count)
    return cells.reshape(count, count).astype(np.int64)
