"""Several embedding spaces searched as one.

The fused score of a picture is a weighted sum of how far it stands out in each space: with s_i the inner product of
query and picture in space i, and mu_i and sigma_i the mean and the spread of the query's inner products with all
vectors of that space,

    score = sum_i w_i (s_i - mu_i) / sigma_i

(z-score normalisation: Lee 1997, "Analyses of Multiple Evidence Combination"). A picture that a space lacks counts as
an average one there. That is an inner product once more: of the query's vectors, each scaled by w_i / sigma_i and put
one after the other, and of the picture's, each less the mean of its space. So all that holds of one space holds of it.

The best are found by the threshold algorithm (Fagin, Lotem and Naor 2003, "Optimal aggregation algorithms for
middleware", section 4): a picture that no space has among its nearest scores no more than the last of them together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import QueryError
from clipsearch.query.candidates import Scores
from clipsearch.query.fused_relevance import FusedRelevance
from clipsearch.query.mixing import LEAST_SPREAD, Vector
from clipsearch.query.options import Options
from clipsearch.query.space import OneSpace, stored_ids
from clipsearch.query.terms import Query
from clipsearch.query.vectors import Asked, asked_vectors
from clipsearch.store.nearest import Nearest, Steps
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Ids, Vectors

_SHALLOWEST = 64
"""Nearest looked at first in each space, or twice as many as are wanted."""

_SAME = 1e-4
"""Fused scores as near as this, for weights that add up to 1, differ by rounding alone: of many copies any will do."""


@dataclass(frozen=True)
class FusedSpaces:
    """Spaces of one index that answer together, each with its weight above 0."""

    spaces: tuple[OneSpace, ...]
    weights: tuple[float, ...]

    @property
    def main(self) -> Snapshot:
        """The main space of the index."""
        return self.spaces[0].main

    @property
    def version(self) -> str:
        """The versions of all."""
        return ", ".join(f"{space.snapshot.manifest.version} of {space.name}" for space in self.spaces)

    def __len__(self) -> int:
        return len(self._ids)

    def asked(self, queries: Sequence[Query], options: Options) -> list[Asked]:
        """See `Searchable`. An indexed picture takes part in the spaces that have it."""
        self._check(queries, options)
        found = [_asked_of(space, queries, options) for space in self.spaces]
        vectors = self._joined([np.stack([one.vector for one in column]) for column in found])
        return [
            Asked(vectors[row], self._joined([column[row].unless for column in found]), query.has_text)
            for row, query in enumerate(queries)
        ]

    def there(self, among: Ids | None) -> Ids | None:
        """See `Searchable`."""
        if among is None:
            return None if len(self) == self.main.manifest.rows else self._ids
        return among[self._exist(among)]

    def nearest(self, queries: Vectors, k: int, *, among: Ids | None, without: Sequence[int]) -> Nearest:
        """See `Searchable`. Each round looks twice as deep into every space, for the queries that need it."""
        best = [(np.empty(0, np.float32), np.empty(0, np.int64))] * len(queries)
        waiting, depth = np.arange(len(queries)), max(2 * k, _SHALLOWEST)
        allowed = [space.there(among) for space in self.spaces]
        steps, lists = Steps(), list[Nearest]()
        while len(waiting):
            asked = queries[waiting]
            lists = [
                space.nearest(_units(part), depth, among=some, without=without)
                for space, part, some in zip(self.spaces, self._parts(asked), allowed, strict=True)
            ]
            steps.times += self._steps(lists)
            with steps.step(f"fusion of the {depth:,} nearest of each"):
                for row, query in enumerate(waiting.tolist()):
                    best[query] = self._best(queries[query], [nearest.ids[row] for nearest in lists], k, steps)
                bounds = self._bounds(asked, lists, depth)
            last = np.array([best[query][0][-1] if len(best[query][0]) == k else -math.inf for query in waiting])
            waiting, depth = waiting[last < bounds - _SAME * sum(self.weights)], 2 * depth
        plan = steps.plan(self._name(lists), None if among is None else len(among))
        return Nearest(np.stack([scores for scores, _ in best]), np.stack([ids for _, ids in best]), plan)

    def vectors_of(self, ids: Ids) -> Vectors:
        """See `Searchable`."""
        parts = []
        for space in self.spaces:
            stored, there = space.vectors_or_zero(ids)
            if background := space.snapshot.background:
                stored[there] -= background.pictures.mean
            parts.append(stored)
        return np.hstack(parts)

    def relevance(
        self,
        queries: Vectors,
        scores: Scores,
        ids: Ids,
        pictures: int,
        *,
        has_text: bool,
        owners: NDArray[np.intp] | None,
    ) -> NDArray[np.float32] | None:
        """See `Searchable` and `clipsearch.query.fused_relevance`; the scores say less than those in each space."""
        asked = [_units(part) for part in self._parts(np.atleast_2d(queries))]
        return self._relevance(asked, ids, pictures, has_text=has_text, owners=owners)

    @cached_property
    def _relevance(self) -> FusedRelevance:
        return FusedRelevance(self.spaces, self.weights, self._ids)

    def _best(self, query: Vector, lists: Sequence[Ids], k: int, steps: Steps) -> tuple[Scores, Ids]:
        """The `k` best of the candidates, scored in all spaces; equal scores by id."""
        ids = np.array(sorted({i for some in lists for i in some.tolist()}), np.int64)
        scores: Scores = self.vectors_of(ids) @ query
        steps.scored += len(ids)
        order = np.argsort(-scores, kind="stable")[:k]
        return scores[order], ids[order]

    def _bounds(self, queries: Vectors, lists: Sequence[Nearest], depth: int) -> NDArray[np.float64]:
        """What a picture that is in none of the lists scores at most, for each query, float64 [n]; minus infinity where
        there is no such picture."""
        ended = [nearest.ids.shape[1] < depth for nearest in lists]
        if all(ended):
            return np.full(len(queries), -math.inf)
        bounds = np.zeros(len(queries))
        for space, part, nearest, at_its_end in zip(self.spaces, self._parts(queries), lists, ended, strict=True):
            last = np.full(len(queries), -math.inf)
            background = space.snapshot.background
            if background is not None and not at_its_end:
                last = np.linalg.norm(part, axis=1) * nearest.scores[:, -1] - part @ background.pictures.mean
            # A picture that this space lacks scores 0 in it, so may be ahead of the last.
            bounds += last if len(space) == len(self) else np.maximum(last, 0)
        return bounds

    def _steps(self, lists: Sequence[Nearest]) -> list[tuple[str, float]]:
        return [
            (f"{space.name}: {step}", milliseconds)
            for space, nearest in zip(self.spaces, lists, strict=True)
            for step, milliseconds in nearest.plan.steps
        ]

    def _parts(self, queries: Vectors) -> list[Vectors]:
        """The scaled vectors of each space, [n, dim]."""
        ends = np.cumsum([space.snapshot.manifest.model.dim for space in self.spaces])
        return np.split(queries, ends[:-1], axis=1)

    def _joined(self, parts: Sequence[Vectors]) -> Vectors:
        """Queries' vectors in each space, [n, dim], scaled and side by side."""
        scaled = []
        for space, weight, part in zip(self.spaces, self.weights, parts, strict=True):
            background = space.snapshot.background
            spread = np.ones(len(part), np.float32) if background is None else background.pictures.deviations(part)
            scaled.append(part * np.float32(weight) / np.maximum(spread, np.float32(LEAST_SPREAD))[:, None])
        return np.hstack(scaled)

    @cached_property
    def _ids(self) -> Ids:
        """Every picture that one of the spaces has, ascending."""
        ids = self.main.places.ids()
        return ids[self._exist(ids)]

    def _exist(self, ids: Ids) -> NDArray[np.bool_]:
        """Which ids can be found: the main space has them, and one of these."""
        found: NDArray[np.bool_] = np.any([space.snapshot.places.exist(ids) for space in self.spaces], axis=0)
        return found & self.main.places.exist(ids)

    def _check(self, queries: Sequence[Query], options: Options) -> None:
        if len({space.snapshot.manifest.model.fingerprint for space in self.spaces}) > 1 and any(
            term.kind == "vector" for query in queries for term in query.terms
        ):
            names = ", ".join(space.name for space in self.spaces)
            raise QueryError(f"A vector is of one model's space; say which of {names} it is to be asked in.")
        for picture in (*options.like, *options.unlike, *(i for query in queries for i in stored_ids(query))):
            if not self._exist(np.array([picture])).all():
                raise QueryError(f"There is no picture with id {picture} in this index.")

    def _name(self, lists: Sequence[Nearest]) -> str:
        parts = zip(self.spaces, self.weights, lists, strict=True)
        return "fused: " + ", ".join(f"{space.name} x {weight:g} ({one.plan.name})" for space, weight, one in parts)


def _asked_of(space: OneSpace, queries: Sequence[Query], options: Options) -> list[Asked]:
    """The queries as one space can ask them: without pictures that it lacks."""

    def known(ids: Sequence[int]) -> tuple[int, ...]:
        there = space.snapshot.places.exist(np.array(ids, np.int64))
        return tuple(i for i, found in zip(ids, there.tolist(), strict=True) if found)

    askable = []
    for query in queries:
        there = known(stored_ids(query))
        terms = [term for term in query.terms if term.kind != "stored" or term.value in there]
        askable.append(Query(*terms, unless=query.unless))
    options = replace(options, like=known(options.like), unlike=known(options.unlike))
    return asked_vectors(space.snapshot, space.encoder, askable, options)


def _units(vectors: Vectors) -> Vectors:
    """Vectors [n, dim] at length 1, those of length 0 as they are."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
