"""Relevance: how surely a hit is what was asked for, told by how unrelated queries score in the same index.

`docs/relevance.md` has the formulae, their sources and the measurements.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipsearch.store.background import Background, prominence
from clipsearch.types import StoredVectors, Vectors

CUT_OFF = 0.7
"""Hits below are taken for pictures that merely come nearest to something that is not there.

Of queries for something that is not there, 30 % are expected to reach it. That is lenient: to be told "nothing
relevant" about pictures that are there is worse than to see a few that are not meant.
"""


def relevance(
    background: Background | None,
    query: NDArray[np.float32],
    scores: NDArray[np.float32],
    vectors: StoredVectors | Vectors,
    pictures: int,
    *,
    has_text: bool,
    owners: NDArray[np.intp] | None = None,
) -> NDArray[np.float32] | None:
    """How surely each hit of a query is a match, float32 [k] in 0..1; None where the index cannot say.

    It is the chance that a query for something that is not there would not come so far. It follows how far a hit stands
    out (`prominence`), not the score alone.

    The index cannot say with fewer than `background.MIN_PICTURES` pictures, nor for queries with a text before an
    indexing run has embedded the probe texts.

    Args:
        background: the statistics of the index.
        query: the vector searched with, float32 [dim] of norm 1; or several, [m, dim].
        scores: inner products of query and hits, float32 [k].
        vectors: vectors of the hits, [k, dim] in the same order.
        pictures: how many pictures the query chose from: those of the index, or the survivors of its filter.
        has_text: whether a text is part of the query; else it is made of pictures alone.
        owners: which of several queries each hit belongs to, int64 [k].
    """
    if background is None:
        return None
    kind = background.by_text if has_text else background.by_picture
    if kind is None:
        return None
    hits = vectors.astype(np.float32)
    prominences = prominence(np.atleast_2d(query), kind.queries, scores, hits, background.pictures, owners)
    tail = kind.peaks.tail(prominences, max(pictures, 1))
    found: NDArray[np.float32] = 1 - tail
    return found
