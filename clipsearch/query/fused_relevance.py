"""Relevance over several spaces: how far a hit stands out in all of them together.

The prominence of a hit is the mean of those in each space, by the spaces' weights; a picture that a space lacks counts
as an average one there, and so does every picture for a query that asks a space nothing. How high the best of unrelated
pictures stands is then measured as for one space, on this mean. `docs/relevance.md` has the formulae and figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clipsearch.query.space import OneSpace, sampled
from clipsearch.store.background import MIN_PICTURES, PICTURE_PROBES, Peaks, peaks_of, prominence
from clipsearch.types import Ids, Vectors

Prominences = NDArray[np.float32]


@dataclass(frozen=True)
class FusedRelevance:
    """The relevance of hits in several spaces.

    Attributes:
        spaces: each with statistics, see `clipsearch.store.background`.
        weights: of each, above 0.
        ids: every picture that can be found, int64 [n] ascending.
    """

    spaces: tuple[OneSpace, ...]
    weights: tuple[float, ...]
    ids: Ids

    def __call__(
        self,
        queries: Sequence[Vectors],
        ids: Ids,
        pictures: int,
        *,
        has_text: bool,
        owners: NDArray[np.intp] | None = None,
    ) -> NDArray[np.float32] | None:
        """How surely each hit is a match, float32 [k] in 0..1; None where one of the spaces cannot say.

        Args:
            queries: in each space, float32 [m, dim] of norm 1, or 0 where it is asked nothing.
            ids: the hits, int64 [k].
            pictures: how many pictures the query chose from.
            has_text: whether a text is part of the queries.
            owners: which of several queries each hit belongs to, int64 [k]; without them there is one.
        """
        peaks = self._by_text if has_text else self._by_picture
        if peaks is None:
            return None
        mine = np.zeros(len(ids), np.intp) if owners is None else owners
        parts = []
        for space, asked in zip(self.spaces, queries, strict=True):
            stored, there = space.vectors_or_zero(ids)
            scores = np.einsum("nd,nd->n", asked[mine], stored)
            found = _prominence(space, asked, scores, stored, has_text=has_text, owners=mine)
            parts.append(np.where(there & _ask(asked)[mine], found, np.float32(0)))
        relevance: NDArray[np.float32] = 1 - peaks.tail(self._mean(parts), max(pictures, 1))
        return relevance

    @cached_property
    def _by_text(self) -> Peaks | None:
        return self._peaks([space.probe_vectors() for space in self.spaces], has_text=True)

    @cached_property
    def _by_picture(self) -> Peaks | None:
        return self._peaks([space.as_queries(self._sample[:PICTURE_PROBES]) for space in self.spaces], has_text=False)

    @cached_property
    def _sample(self) -> Ids:
        # Not in the order of ids: pictures taken one after another are alike, and blocks have to be alike instead.
        return np.random.default_rng(0).permutation(sampled(self.ids))

    def _peaks(self, probes: Sequence[Vectors | None], *, has_text: bool) -> Peaks | None:
        """How high the best of some pictures stands for probes, in each space [n, dim], that have nothing to do with
        them; pictures as probes are the first of the sample."""
        asked = [vectors for vectors in probes if vectors is not None]
        if len(asked) < len(self.spaces) or len({len(vectors) for vectors in asked}) > 1:
            return None
        backgrounds = [space.background for space in self.spaces]
        if any(one is None or (one.by_text if has_text else one.by_picture) is None for one in backgrounds):
            return None
        if len(self._sample) < MIN_PICTURES:
            return None

        def prominences(part: slice) -> Prominences:
            parts = []
            for space, vectors in zip(self.spaces, asked, strict=True):
                stored, there = space.vectors_or_zero(self._sample[part])
                found = _prominence(space, vectors, vectors @ stored.T, stored, has_text=has_text)
                parts.append(np.where(there & _ask(vectors)[:, None], found, np.float32(0)))
            return self._mean(parts)

        return peaks_of(prominences, len(self._sample), len(asked[0]), stored=not has_text)

    def _mean(self, parts: Sequence[Prominences]) -> Prominences:
        mean: Prominences = np.average(np.stack(parts), axis=0, weights=self.weights).astype(np.float32)
        return mean


def _prominence(
    space: OneSpace,
    queries: Vectors,
    scores: Prominences,
    stored: Vectors,
    *,
    has_text: bool,
    owners: NDArray[np.intp] | None = None,
) -> Prominences:
    background = space.background
    assert background is not None
    kind = background.by_text if has_text else background.by_picture
    assert kind is not None, "without it there are no peaks"
    return prominence(queries, kind.queries, scores, stored, background.pictures, owners)


def _ask(queries: Vectors) -> NDArray[np.bool_]:
    """Which queries [n, dim] ask something, bool [n]."""
    found: NDArray[np.bool_] = np.any(queries != 0, axis=1)
    return found
