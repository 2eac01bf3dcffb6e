"""The trained part of a version's vectors: candidates from its lists, scored by their stored vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clipsearch.ann.exact import nearest_rows
from clipsearch.ann.recipes import OperatingPoint, operating_point
from clipsearch.ann.selection import Selection
from clipsearch.ann.threads import in_threads
from clipsearch.ann.trained import TrainedIndex
from clipsearch.store.manifest import TrainedRef
from clipsearch.store.nearest import Steps
from clipsearch.store.places import Places
from clipsearch.types import Ids, Vectors

_MANY_DEAD = 0.05
"""From this share of codes without a picture on, they are left out of the search rather than out of its answer."""

_SPARSE = 0.8
"""A filter that lets through less than this share may leave lists empty; then the lists to look at are picked."""

_TOGETHER = 16
"""Queries whose candidates are read together: in so long a step threads seldom wait for one another."""

_SAFETY = 2.0
"""Survivors looked at for each one that a filter unrelated to the vectors would call for."""


@dataclass(frozen=True)
class Approximate:
    """A trained index with what the manifest says of it. Safe to search from several threads."""

    index: TrainedIndex
    ref: TrainedRef
    places: Places

    def point(self, k: int) -> OperatingPoint:
        """How far to look for the `k` nearest."""
        return operating_point(self.ref.points, k)

    def codes_for(self, k: int, survivors: int, rows: int) -> float:
        """How many codes are looked at to find the `k` nearest of the survivors of a filter among `rows` pictures."""
        probes = self.point(math.ceil(k * rows / survivors)).probes * _SAFETY
        return self.ref.codes * min(probes / self.index.list_count, 1.0)

    def nearest(
        self, queries: Vectors, k: int, point: OperatingPoint, steps: Steps, allowed: Selection | None = None
    ) -> tuple[Vectors, Ids]:
        """Scores float32 and ids int64 [n, k] of what was found, best first; -inf and -1 where that is less than k."""
        dead = self.ref.dead / max(1, self.ref.codes)
        with steps.step(f"candidates from {min(point.probes, self.index.list_count)} lists"):
            if allowed is None and dead > _MANY_DEAD:
                allowed = self._live
            count = max(k, math.ceil(point.candidates * (1 + dead)))
            candidates = self.index.candidates(queries, count, point, allowed)
        return self._scored(queries, candidates, k, steps)

    def nearest_among(
        self, queries: Vectors, k: int, survivors: Ids, share: float, steps: Steps
    ) -> tuple[Vectors, Ids]:
        """As `nearest`, of the survivors of a filter (sorted int64) that lets through this share of the pictures.

        The k nearest survivors of a filter that has nothing to do with the vectors are among the k / share nearest
        pictures. Where few survive, they may crowd in some lists, so the nearest lists that hold any are picked, until
        as many survivors are seen as that depth calls for.
        """
        depth, shallow = self.point(math.ceil(k / share)), self.point(k)
        point = OperatingPoint(k, math.ceil(depth.probes * _SAFETY), math.ceil(shallow.candidates * _SAFETY))
        with steps.step("selection"):
            allowed = Selection.of(survivors)
        if share > _SPARSE:
            return self.nearest(queries, k, point, steps, allowed)
        with steps.step("candidates from picked lists"):
            held = np.bincount(self._list_numbers[survivors], minlength=self.index.list_count)
            wanted = len(survivors) * min(point.probes / self.index.list_count, 1.0)
            fewest = math.ceil(shallow.probes * _SAFETY)
            found = [self._picked(query[None], point, held, wanted, fewest, allowed) for query in queries]
        return self._scored(queries, np.concatenate(found), k, steps)

    def _picked(
        self,
        query: Vectors,
        point: OperatingPoint,
        held: NDArray[np.int64],
        wanted: float,
        fewest: int,
        allowed: Selection,
    ) -> Ids:
        order = np.argsort(-self.index.list_scores(query))
        order = order[held[order] > 0]
        enough = int(np.searchsorted(np.cumsum(held[order]), wanted)) + 1
        return self.index.candidates_in(query, point.candidates, order[: max(enough, fewest)], allowed)

    def _scored(self, queries: Vectors, candidates: Ids, k: int, steps: Steps) -> tuple[Vectors, Ids]:
        """The `k` best candidates [n, m] of each query by their stored vectors."""
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        ids = np.full((len(queries), k), -1, dtype=np.int64)

        def score(first: int) -> int:
            some = candidates[first : first + _TOGETHER]
            live = self.places.exist(some)
            order, vectors = self.places.as_stored(some[live])
            found, rows = some[live][order], np.nonzero(live)[0][order]
            for row in range(len(some)):
                mine = slice(None) if len(some) == 1 else rows == row
                best, places = nearest_rows(queries[first + row][None], vectors[mine], k)
                count = best.shape[1]
                scores[first + row, :count], ids[first + row, :count] = best[0], found[mine][places[0]]
            return len(found)

        with steps.step("scoring of candidates"):
            steps.scored += sum(in_threads(score, range(0, len(queries), _TOGETHER)))
        return scores, ids

    def ids(self) -> Ids:
        """Every id that can be found, ascending."""
        covered = np.flatnonzero(self._list_numbers >= 0)
        return covered[self.places.exist(covered)]

    @cached_property
    def _list_numbers(self) -> NDArray[np.int32]:
        return self.index.lists_by_id(self.ref.below)

    @cached_property
    def _live(self) -> Selection:
        return Selection(self.places.live())
