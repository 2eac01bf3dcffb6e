"""Searching the vectors of one version: which way is cheapest, and doing it so that nothing that matches is missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clipsearch.ann.exact import ExactIndex, best_of, nearest_rows
from clipsearch.ann.recipes import OperatingPoint
from clipsearch.ann.selection import Selection
from clipsearch.store.approximate import Approximate
from clipsearch.store.nearest import Nearest, Plan, Steps
from clipsearch.store.places import Places
from clipsearch.types import Ids, Vectors

_WIDEN = 4
"""How many times as many lists are looked at when the first ones held too few."""

_ALIKE_PROBES, _ALIKE_CANDIDATES = 16, 4
"""Lists looked at for copies of a picture, and candidates scored for each one wanted. A copy is coded much like its
original and lies in the same list or one beside it."""

# Costs in nanoseconds a vector of 512 numbers: fetched by its id; scored; its code looked at.
_FETCH, _SCORE, _CODE = 300.0, 45.0, 20.0

_FEW = 20_000
"""Survivors of 512 numbers that are scored one by one whatever else could be done, since that misses none."""


@dataclass(frozen=True)
class Searcher:
    """The vectors of a version. `exact` holds all of them, or what is newer than `trained`."""

    exact: ExactIndex
    trained: Approximate | None
    places: Places
    rows: int
    dim: int

    def nearest(self, queries: Vectors, k: int, among: Ids | None, without: Ids, *, alike: bool = False) -> Nearest:
        """See `Snapshot.nearest`, and with `alike` `Snapshot.alike`."""
        steps = Steps()
        # Not np.unique, which loads a module that takes longer than the search.
        unwanted = np.array(sorted({*without[self.places.exist(without)].tolist()}), np.int64)
        if among is not None:
            return self._among(queries, k, _rest(among, unwanted), steps)
        k = min(k, self.rows - len(unwanted))
        if k <= 0:
            return _nothing(len(queries), steps.plan("exact"))
        asked = k + len(unwanted)
        with steps.step("exact index"):
            found = self.exact.search(queries, asked)
            steps.scored += len(self.exact)
        if self.trained is None:
            return Nearest(*_drop(*found, unwanted, k), steps.plan("exact"))
        point = OperatingPoint(asked, _ALIKE_PROBES, asked * _ALIKE_CANDIDATES) if alike else self.trained.point(asked)
        found = self._with_trained(self.trained, queries, point, found, steps)
        if (found[1] < 0).any():
            return self._scored_all(queries, k, _rest(self.places.ids(), unwanted), steps)
        return Nearest(*_drop(*found, unwanted, k), steps.plan("ivf"))

    def _with_trained(
        self,
        trained: Approximate,
        queries: Vectors,
        point: OperatingPoint,
        exact: tuple[Vectors, Ids],
        steps: Steps,
    ) -> tuple[Vectors, Ids]:
        """What the exact index found and what the trained one has; in more lists when the first held too few."""
        k = point.k
        found = _merge(exact, trained.nearest(queries, k, point, steps), k)
        while (found[1] < 0).any() and point.probes < trained.index.list_count:
            point = OperatingPoint(k, point.probes * _WIDEN, point.candidates * _WIDEN)
            found = _merge(exact, trained.nearest(queries, k, point, steps), k)
        return found

    def _among(self, queries: Vectors, k: int, survivors: Ids, steps: Steps) -> Nearest:
        """The nearest of the survivors of a filter, in the way that costs least."""
        count = len(survivors)
        k = min(k, count)
        if k <= 0:
            return _nothing(len(queries), steps.plan("survivors", count))
        one_by_one = count * (_FETCH + _SCORE * len(queries))
        if self.trained is None:
            if one_by_one <= self.rows * _SCORE * len(queries):
                return self._scored_all(queries, k, survivors, steps)
            return self._selected(queries, k, survivors, steps)
        by_code = self.trained.codes_for(k, count, self.rows) * _CODE * len(queries)
        if count * self.dim <= _FEW * 512 or one_by_one <= by_code:
            return self._scored_all(queries, k, survivors, steps)
        return self._approximate_among(self.trained, queries, k, survivors, steps)

    def _selected(self, queries: Vectors, k: int, survivors: Ids, steps: Steps) -> Nearest:
        with steps.step("exact index with selection"):
            found = self.exact.search(queries, k, Selection.of(survivors))
            steps.scored += len(survivors)
        return Nearest(*found, steps.plan("exact with selection", len(survivors)))

    def _approximate_among(
        self, trained: Approximate, queries: Vectors, k: int, survivors: Ids, steps: Steps
    ) -> Nearest:
        border = int(np.searchsorted(survivors, trained.ref.below))
        newer = self._score(queries, k, survivors[border:], steps)
        older = trained.nearest_among(queries, k, survivors[:border], len(survivors) / self.rows, steps)
        found = _merge(newer, older, k)
        if (found[1] < 0).any():
            return self._scored_all(queries, k, survivors, steps)
        return Nearest(*found, steps.plan("ivf with selection", len(survivors)))

    def _scored_all(self, queries: Vectors, k: int, survivors: Ids, steps: Steps) -> Nearest:
        return Nearest(*self._score(queries, k, survivors, steps), steps.plan("survivors", len(survivors)))

    def _score(self, queries: Vectors, k: int, ids: Ids, steps: Steps) -> tuple[Vectors, Ids]:
        """The `k` best of `ids` by their stored vectors, every one of which is looked at."""
        best = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        with steps.step("scoring of survivors"):
            for block, vectors in self.places.blocks(ids):
                scores, order = nearest_rows(queries, vectors, k)
                best = _merge(best, (scores, block[order]), k)
            steps.scored += len(ids)
        return best

    def ids(self) -> Ids:
        """Every id that can be found, ascending."""
        return np.sort(self.exact.ids) if self.trained is None else np.union1d(self.trained.ids(), self.exact.ids)


def _merge(one: tuple[Vectors, Ids], other: tuple[Vectors, Ids], k: int) -> tuple[Vectors, Ids]:
    return best_of(np.hstack([one[0], other[0]]), np.hstack([one[1], other[1]]), k)


def _rest(ids: Ids, unwanted: Ids) -> Ids:
    return ids if not len(unwanted) else np.setdiff1d(ids, unwanted, assume_unique=True)


def _drop(scores: Vectors, ids: Ids, unwanted: Ids, k: int) -> tuple[Vectors, Ids]:
    """Without unwanted ids, the `k` best of each row."""
    if not len(unwanted):
        return scores[:, :k], ids[:, :k]
    return best_of(np.where(np.isin(ids, unwanted), np.float32(-np.inf), scores), ids, k)


def _nothing(queries: int, plan: Plan) -> Nearest:
    return Nearest(np.empty((queries, 0), np.float32), np.empty((queries, 0), np.int64), plan)


def as_ids(ids: Sequence[int] | Ids) -> Ids:
    """Ids as int64 [n]."""
    return np.asarray(ids, dtype=np.int64).reshape(-1)
