"""The frame of a map: landmarks that are laid out together, and by which all other vectors find their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from clipsearch.ann.exact import decoded
from clipsearch.ann.landmarks import nearest_landmarks, neighbours_among
from clipsearch.projection.embedding import NEIGHBOURS, embed
from clipsearch.projection.principal import Plane, principal_plane
from clipsearch.types import Ids, StoredVectors, Tell, Vectors

LANDMARKS = 16_384
"""Vectors that are laid out. With twice as many the descent takes twice as long."""

_GUIDES = 5
_SHARPNESS = 0.02
"""How much less similar a landmark is whose word counts for a third, in cosine."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Landmarks, float16 [m, dim], and where each lies, float32 [m, 2]; a distance of 1 is a close neighbour's."""

    landmarks: StoredVectors
    points: Plane

    def unit(self, points: Plane) -> Plane:
        """Points moved and scaled so that the landmarks lie in -1..1, as large as that allows."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        half = max(float((high - low).max()) / 2, float(np.finfo(np.float32).tiny))
        scaled: Plane = np.clip((points - (low + high) / 2) / np.float32(half), -1, 1)
        return scaled


def lay_out(landmarks: StoredVectors, start: Plane | None, tell: Tell) -> Frame:
    """The frame of landmarks, float16 [m, dim], m >= 1, lying as `start` [m, 2] did, or else as their principal
    components do. Where all are equal, so are their points."""
    if (landmarks == landmarks[0]).all():
        return Frame(landmarks, np.zeros((len(landmarks), 2), np.float32))
    begin = principal_plane(decoded(landmarks)) if start is None else start
    # Points that all are neighbours of one another have no reason to lie apart.
    neighbours = min(NEIGHBOURS, max(1, (len(landmarks) - 1) // 3))
    return Frame(landmarks, embed(neighbours_among(landmarks, neighbours), begin, tell))


def place(frame: Frame, blocks: Iterable[tuple[Ids, StoredVectors]], count: int) -> Iterator[tuple[Ids, Plane]]:
    """Where vectors lie in a frame: blocks of `count` vectors in all as ids and points, float32 [n, 2]."""
    guides = min(_GUIDES, len(frame.landmarks))
    for ids, scores, rows in nearest_landmarks(frame.landmarks, blocks, count, guides):
        yield ids, _between(frame.points[rows], scores)


def _between(guides: Plane, scores: Vectors) -> Plane:
    """The weighted mean of each vector's guides [n, k, 2], nearest first, with similarities `scores` [n, k].

    Those that lie elsewhere than the nearest count less: in the middle of groups that are torn apart there is nothing.
    """
    apart = guides - guides[:, :1]
    weights = np.exp((scores - scores[:, :1]) / np.float32(_SHARPNESS)) / (1 + np.einsum("nkd,nkd->nk", apart, apart))
    weights /= weights.sum(axis=1, keepdims=True)
    points: Plane = np.einsum("nk,nkd->nd", weights, guides).astype(np.float32)
    return points
