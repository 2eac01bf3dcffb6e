"""Orders other than by score: by a column within the relevant, and by maximal marginal relevance.

An order belongs to the query, not to the page: the first n of it are the same whatever n, so that a page follows the
one before without a repeat.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clipsearch.query.candidates import Scores
from clipsearch.types import Ids, StoredVectors, Vectors

First = Callable[[int], tuple[Scores, Ids]]
"""The first n pictures by score; fewer only where there are no more."""
Above = Callable[[Scores, Ids], NDArray[np.bool_]]
"""Which pictures, with their scores, are at or above the relevance cut-off."""
Order = NDArray[np.intp]

LOOKED_AT = 10_000
"""So many of the best are looked through for relevant ones; what lies beyond follows by score."""

_WINDOWS = (100, 1000)
"""Maximal marginal relevance chooses among ten times as many as a page holds, but no fewer and no more than this."""


def sorted_first(
    first: First, above: Above | None, order: Callable[[Ids], Order], page: int, stop: int
) -> tuple[Scores, Ids]:
    """The first `stop` pictures when the relevant ones are put in another order, and the rest follow by score.

    Where nothing says what is relevant, each page of the `page` best is put in order by itself.
    """
    if above is None:
        scores, ids = first(-(-stop // page) * page)
        best = _joined([place + order(ids[place : place + page]) for place in range(0, len(ids), page)])
    else:
        found = _found_relevant(first, above)
        scores, ids = first(max(stop, len(found)))
        relevant, others = _parted(found, len(ids))
        best = _joined([relevant[order(ids[relevant])], others])
    return scores[best[:stop]], ids[best[:stop]]


def diverse_first(
    first: First,
    above: Above | None,
    vectors: Callable[[Ids], StoredVectors | Vectors],
    diversity: float,
    page: int,
    stop: int,
) -> tuple[Scores, Ids]:
    """The first `stop` pictures by maximal marginal relevance, chosen window by window from the best down.

    The relevant ones come first, so that a page is filled with them while there are any.
    """
    window = int(np.clip(10 * page, *_WINDOWS))
    whole = -(-stop // window) * window  # a window on the edge of a page is the same one on the next
    found = np.zeros(0, bool) if above is None else _found_relevant(first, above)
    scores, ids = first(int(found.sum()) + max(whole, len(found)))
    best = np.empty(0, np.intp)
    for part in _parted(found, len(ids)):
        for start in range(0, len(part), window):
            if len(best) < stop:
                chosen = part[start : start + window]
                order = mmr(scores[chosen], vectors(ids[chosen]).astype(np.float32), diversity)
                best = np.concatenate([best, chosen[order]])
    return scores[best[:stop]], ids[best[:stop]]


def _found_relevant(first: First, above: Above) -> NDArray[np.bool_]:
    """Which of the best are relevant, looked through in growing portions until one holds nothing relevant."""
    asked = 64
    scores, ids = first(asked)
    found = above(scores, ids)
    begun = 0
    while found[begun:].any() and asked < LOOKED_AT:
        begun, asked = len(ids), min(4 * asked, LOOKED_AT)
        scores, ids = first(asked)
        found = np.concatenate([found, above(scores[begun:], ids[begun:])])
    return found


def _parted(found: NDArray[np.bool_], count: int) -> tuple[Order, Order]:
    """Places of those found relevant, and of the others among `count`, each in their order."""
    others = np.arange(count)
    return np.flatnonzero(found), np.concatenate([np.flatnonzero(~found), others[len(found) :]])


def _joined(blocks: list[Order]) -> Order:
    return np.concatenate([np.empty(0, np.intp), *blocks])


def mmr(scores: Scores, vectors: NDArray[np.float32], diversity: float) -> Order:
    """Maximal marginal relevance (Carbonell and Goldstein 1998): each next picture is good and unlike those before.

    Greedily takes argmax of (1 - diversity) * score - diversity * (greatest similarity to one already taken). Scores
    of a text and cosines of two pictures are on different scales, so both are in standard deviations from their mean
    among these pictures.

    Args:
        scores: of each picture, float32 [n], best first.
        vectors: of each picture, float32 [n, dim] of norm 1.
        diversity: 0 keeps the order of the scores, 1 goes by dissimilarity alone after the first.

    Returns:
        The order, int [n].
    """
    alike = _standard(vectors @ vectors.T)
    gain = (1 - diversity) * _standard(scores)
    nearest = np.full(len(scores), -np.inf)
    order = np.zeros(len(scores), np.intp)
    left = np.ones(len(scores), bool)
    for turn in range(len(scores)):
        penalty = diversity * nearest if turn and diversity else 0.0
        order[turn] = chosen = int(np.argmax(np.where(left, gain - penalty, -np.inf))) if turn else 0
        left[chosen] = False
        np.maximum(nearest, alike[chosen], out=nearest)
    return order


def _standard(values: NDArray[np.float32]) -> NDArray[np.float64]:
    spread = float(values.std(dtype=np.float64))
    result: NDArray[np.float64] = (values - values.mean(dtype=np.float64)) / (spread or 1.0)
    return result
