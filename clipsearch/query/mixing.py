"""Several terms into one query vector.

Texts and pictures lie in two separate cones of the space (Liang et al. 2022, "Mind the Gap"), and inner products with
stored pictures vary more for a term of one kind than of the other. In a plain sum the term that varies more decides
the order alone. So each term is divided by the spread of its inner products over the index: what is added is how many
standard deviations a picture stands out for each term.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import QueryError
from clipsearch.types import Vectors

Vector = NDArray[np.float32]
Spread = Callable[[Vector], float]

LEAST_SPREAD = 1e-3
"""Below this the rounding of the stored float16 vectors (relative error 2**-11) is what varies."""

_NOTHING_LEFT = 1e-4
"""A sum this short beside its longest term is what rounding left of terms that cancel one another."""

# Rocchio 1971, "Relevance Feedback in Information Retrieval"; the weights are those of Manning, Raghavan and Schütze,
# "Introduction to Information Retrieval", section 9.1.1: more trust in what is liked than in what is not.
ASKED, LIKED, UNLIKED = 1.0, 0.75, -0.15


def unit(vector: NDArray[np.floating]) -> Vector:
    """A vector of any length as float32 [dim] of norm 1.

    Raises:
        QueryError: it is zero or not finite.
    """
    flat = np.asarray(vector, dtype=np.float64).reshape(-1)
    largest = float(np.abs(flat).max(initial=0))
    if not np.isfinite(largest) or largest == 0:
        raise QueryError("The query vector has no direction: it is zero or not finite.")
    flat = flat / largest  # so that the square of no length overflows or vanishes
    result: Vector = (flat / np.linalg.norm(flat)).astype(np.float32)
    return result


def mix(vectors: Vectors, weights: Sequence[float], spread: Spread | None = None) -> Vector:
    """The weighted sum of unit vectors [n, dim], each divided by its `spread` over the index, as a unit vector [dim].

    Without a spread, or where one is too small to mean anything, weights count as they are.

    Raises:
        QueryError: there is nothing to add, or the terms cancel one another.
    """
    counting = np.flatnonzero(weights)
    if not len(counting):
        raise QueryError("Nothing is asked: every weight is zero; give one term a weight above or below zero.")
    parts = np.asarray(weights, np.float64)[counting, None] * np.asarray(vectors, np.float64)[counting]
    if len(counting) > 1 and spread is not None:
        spreads = np.array([spread(vectors[i]) for i in counting])
        if spreads.min() >= LEAST_SPREAD:
            parts /= spreads[:, None]
    total = parts.sum(axis=0)
    if np.linalg.norm(total) <= _NOTHING_LEFT * np.linalg.norm(parts, axis=1).max():
        raise QueryError("The query's terms cancel one another; leave one out or change a weight.")
    return unit(total)


def rocchio(asked: Vector | None, liked: Vectors, unliked: Vectors, spread: Spread | None = None) -> Vector:
    """A query moved towards liked pictures and away from others: alpha q + beta mean(liked) - gamma mean(unliked).

    Args:
        asked: the query so far, float32 [dim] of norm 1; None where only pictures are given.
        liked: float32 [n, dim] of norm 1, n may be 0.
        unliked: the same.
        spread: as for `mix`.

    Raises:
        QueryError: nothing is given, or it cancels out.
    """
    parts = [] if asked is None else [(asked, ASKED)]
    parts += [
        (unit(given.mean(axis=0)), weight) for given, weight in ((liked, LIKED), (unliked, UNLIKED)) if len(given)
    ]
    if not parts:
        raise QueryError("Nothing is asked: give a text, an image, an id or a vector.")
    return mix(np.stack([part for part, _ in parts]), [weight for _, weight in parts], spread)
