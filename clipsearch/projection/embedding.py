"""A neighbour embedding: points on a plane such that near vectors are near points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipsearch.projection.principal import Plane
from clipsearch.projection.repulsion import repulsion
from clipsearch.types import Ids, Tell

NEIGHBOURS = 15
"""Neighbours that each point is drawn to."""

STEPS = 300
"""Steps of the descent."""

_GATHERING = 100
"""The first steps, in which points are drawn together more strongly, so that groups find their place."""

_EXAGGERATION = 12.0
_START = 1e-4


def embed(neighbours: Ids, start: Plane, tell: Tell) -> Plane:
    """Points on a plane, float32 [n, 2], whose neighbours are those of `neighbours` as far as a plane allows.

    This is t-SNE (van der Maaten and Hinton 2008) with uniform affinities to the nearest neighbours, which come to the
    same as its Gaussians (Boehm, Berens and Kobak 2022, "Attraction-repulsion spectrum in neighbor embeddings"). It is
    begun from `start` made small, which decides how groups lie to one another, at the learning rate n / 12 (Kobak and
    Berens 2019, "The art of using t-SNE for single-cell transcriptomics"). The same input gives the same points.

    Args:
        neighbours: row numbers of the nearest others, int64 [n, k], n >= 2.
        start: float32 [n, 2], how the map is to lie.
        tell: hears of each step.
    """
    count = len(neighbours)
    edges = _edges(neighbours)
    points = _small(start)
    moved, gains = np.zeros_like(points), np.ones_like(points)
    rate = np.float32(count / _EXAGGERATION)
    for step in range(STEPS):
        tell("laying out", step, STEPS)
        gathering = step < _GATHERING
        pushed, normaliser = repulsion(points)
        slope = edges.pull(points, _EXAGGERATION if gathering else 1.0) - pushed / np.float32(normaliser)
        # Delta-bar-delta (Jacobs 1988): faster where the direction stays the same.
        gains = np.maximum(np.where((slope > 0) != (moved > 0), gains + 0.2, gains * 0.8), 0.01).astype(np.float32)
        moved = np.float32(0.5 if gathering else 0.8) * moved - 4 * rate * gains * slope
        points = points + moved
    return points


@dataclass(frozen=True, slots=True)
class _Edges:
    """Pairs of neighbours in both directions, by the first of them; `first` [n] is where each point's begin."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    weights: NDArray[np.float32]
    first: NDArray[np.int64]

    def pull(self, points: Plane, strength: float) -> Plane:
        """The attractive part of the slope, float32 [n, 2]."""
        apart = points[self.one] - points[self.other]
        near = np.float32(strength) * self.weights / (1 + np.einsum("ed,ed->e", apart, apart))
        pulled: Plane = np.add.reduceat(near[:, None] * apart, self.first, axis=0)
        return pulled


def _edges(neighbours: Ids) -> _Edges:
    count, k = neighbours.shape
    one, other = np.repeat(np.arange(count), k), neighbours.ravel()
    pairs, times = np.unique(np.concatenate([one * count + other, other * count + one]), return_counts=True)
    ends = pairs // count
    weights = (times / times.sum()).astype(np.float32)
    return _Edges(ends, pairs % count, weights, np.searchsorted(ends, np.arange(count)))


def _small(start: Plane) -> Plane:
    """`start` at the size that t-SNE begins with; points that coincide are put a little apart, or nothing would ever
    part them."""
    spread = float(start.std(axis=0).max())
    shrunk = start * (_START / spread) if spread > 0 else start
    apart = np.random.default_rng(0).normal(scale=_START / 100, size=start.shape)
    points: Plane = (shrunk + apart).astype(np.float32)
    return points
