"""Where the right answers stand in the ranking of all documents, without ever holding all scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipsearch.evaluation.metrics import positions_within, rank_measures
from clipsearch.types import Ids, StoredVectors, Vectors

Scores = NDArray[np.float32]
Blocks = Iterable[tuple[Ids, Vectors | StoredVectors]]
"""All documents in portions: distinct ids and vectors [n, dim]."""

SAME = 1e-6
"""Scores as near as this are equal: two copies of a vector may differ by the rounding of float32."""

_AT_ONCE = 256
"""Queries whose scores of one block are held at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Which documents answer which queries, ordered by query.

    Attributes:
        queries: row of each pair's query, int64 [m], ascending.
        documents: id of each pair's document, int64 [m].
        grades: how good an answer it is, above 0, float32 [m].
    """

    queries: NDArray[np.int64]
    documents: Ids
    grades: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.queries)

    def swapped(self) -> tuple[Ids, Judged]:
        """The documents that answer something, int64 [d], and the same pairs with rows of those as queries, and the
        queries as documents."""
        documents, rows = np.unique(self.documents, return_inverse=True)
        return documents, judged(rows, self.queries, self.grades)


def judged(queries: Sequence[int] | Ids, documents: Sequence[int] | Ids, grades: Sequence[float] | Scores) -> Judged:
    """Pairs in any order as `Judged`; of a pair that is there twice the higher grade counts, and one of grade 0 is
    none."""
    pairs = np.stack([np.asarray(queries, np.int64), np.asarray(documents, np.int64)], axis=1).reshape(-1, 2)
    values = np.asarray(grades, np.float32)
    distinct, place = np.unique(pairs, axis=0, return_inverse=True)
    best = np.zeros(len(distinct), np.float32)
    np.maximum.at(best, place.reshape(-1), values)
    kept = best > 0
    return Judged(distinct[kept, 0], distinct[kept, 1], best[kept])


def pair_scores(queries: Vectors, pairs: Judged, documents: Vectors | StoredVectors) -> Scores:
    """The cosine of each judged pair, float32 [m]; `documents` [m, dim] are the vectors of `pairs.documents`."""
    parts = [
        np.einsum("ij,ij->i", queries[pairs.queries[i : i + 4096]], documents[i : i + 4096].astype(np.float32))
        for i in range(0, len(pairs), 4096)
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def ranks_of(queries: Vectors, pairs: Judged, scores: Scores, documents: Blocks) -> NDArray[np.int64]:
    """The rank, from 1, of each judged pair among all documents, int64 [m].

    Ties count against: what is no answer and scores the same stands before an answer.

    Args:
        queries: unit vectors [n, dim].
        pairs: the answers.
        scores: the score of each pair [m], see `pair_scores`.
        documents: all documents, those of the pairs among them; a pair counts with its score in `scores`.
    """
    ahead = np.zeros(len(pairs), np.int64)
    for ids, vectors in documents:
        block = _Block(ids, np.asarray(vectors, np.float32), pairs)
        for start in range(0, len(queries), _AT_ONCE):
            first, last = np.searchsorted(pairs.queries, [start, start + _AT_ONCE])
            if first == last:
                continue
            table = block.others(queries[start : start + _AT_ONCE], start, slice(first, last))
            for pair in range(first, last):
                ahead[pair] += np.count_nonzero(table[pairs.queries[pair] - start] >= scores[pair] - SAME)
    return ahead + positions_within(pairs.queries, scores, pairs.grades)


def measures_among(queries: Vectors, pairs: Judged, documents: Vectors) -> Mapping[str, float]:
    """All `clipsearch.evaluation.metrics.MEASURES` of queries [n, dim] among documents [d, dim], which the pairs name
    by their rows."""
    scores = pair_scores(queries, pairs, documents[pairs.documents])
    ranks = ranks_of(queries, pairs, scores, [(np.arange(len(documents)), documents)])
    return rank_measures(pairs.queries, ranks, pairs.grades)


def firsts(queries: Vectors, documents: Blocks) -> Ids:
    """The document that scores highest for each query, int64 [n]."""
    best, found = np.full(len(queries), -np.inf, np.float32), np.zeros(len(queries), np.int64)
    for ids, vectors in documents:
        scores = queries @ np.asarray(vectors, np.float32).T
        column = scores.argmax(axis=1)
        score = scores[np.arange(len(queries)), column]
        found, best = np.where(score > best, ids[column], found), np.maximum(best, score)
    return found


class _Block:
    """A portion of the documents, with the columns in which the answers stand."""

    def __init__(self, ids: Ids, vectors: Vectors, pairs: Judged) -> None:
        order = np.argsort(ids)
        place = np.minimum(np.searchsorted(ids, pairs.documents, sorter=order), len(ids) - 1)
        self._column = order[place]
        self._here = ids[self._column] == pairs.documents
        self._vectors, self._pairs = vectors, pairs

    def others(self, queries: Vectors, start: int, pairs: slice) -> Scores:
        """Scores of the block's documents for some queries [n, block], those of answers at minus infinity."""
        scores = queries @ self._vectors.T
        here = np.flatnonzero(self._here[pairs]) + pairs.start
        scores[self._pairs.queries[here] - start, self._column[here]] = -np.inf
        return scores
