"""How all points of a map push one another away, without looking at every pair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipsearch.projection.principal import Plane

_CELL = 0.5
"""Side of a cell of the grid: the kernel falls off over a distance of 1."""

_LEAST, _MOST = 32, 512
"""Cells along a side of the grid."""

_ROUNDING = 1e-6

Values = NDArray[np.float32]
Transform = NDArray[np.complex128]
"""Complex; of single precision where this NumPy can."""


def repulsion(points: Plane) -> tuple[Plane, float]:
    """The repulsive forces of t-SNE before they are divided by its normaliser, float32 [n, 2], and the normaliser.

    With w = 1 / (1 + d^2) of two points, they are sum of w^2 (y_i - y_j) over all j, and sum of w over all pairs. The
    sums are convolutions, done on a grid by Fourier transform (Linderman et al. 2019, "Fast interpolation-based t-SNE
    for improved visualization of single-cell RNA-seq data"), here with linear interpolation: time grows with the number
    of points and of cells, not with the pairs.
    """
    grid = _Grid(points)
    narrow, wide = grid.kernels()
    ones = grid.spread(np.ones(len(points), np.float32))
    normaliser = float((grid.gathered(ones * wide) - grid.own()).sum(dtype=np.float64))
    pushed = grid.gathered(ones * narrow)
    forces = [axis * pushed - grid.gathered(grid.spread(axis) * narrow) for axis in grid.centred.T]
    return np.stack(forces, axis=1), max(normaliser, _ROUNDING * len(points))


class _Grid:
    """A square grid over points, each of which belongs to the four nodes around it."""

    def __init__(self, points: Plane) -> None:
        low = points.min(axis=0)
        extent = max(float((points.max(axis=0) - low).max()), float(np.finfo(np.float32).tiny))
        self.nodes = int(np.clip(np.ceil(extent / _CELL / 16) * 16 + 16, _LEAST, _MOST))
        self.side = extent / (self.nodes - 2)
        # Moments are taken about the middle: the difference of large numbers would have no digits left.
        self.centred: Plane = points - low - np.float32(extent / 2)
        place = (points - low) / np.float32(self.side)
        corner = place.astype(np.int64)
        x, y = (place - corner).astype(np.float32).T
        first = corner[:, 0] * self.nodes + corner[:, 1]
        self.corners = [first, first + 1, first + self.nodes, first + self.nodes + 1]
        self.shares = [(1 - x) * (1 - y), (1 - x) * y, x * (1 - y), x * y]

    def kernels(self) -> tuple[Transform, Transform]:
        """The transforms of w^2 and of w."""
        steps = np.arange(2 * self.nodes)
        distances = (np.minimum(steps, 2 * self.nodes - steps) * self.side) ** 2
        wide = (1 / (1 + distances[:, None] + distances)).astype(np.float32)
        return np.fft.rfft2(wide * wide), np.fft.rfft2(wide)

    def spread(self, values: Values) -> Transform:
        """The transform of values [n] put onto the nodes around their points."""
        size = self.nodes * self.nodes
        total = np.zeros(size)
        for corner, share in zip(self.corners, self.shares, strict=True):
            total += np.bincount(corner, share * values, size)
        # Twice the size, so that nothing wraps around.
        padded = (2 * self.nodes, 2 * self.nodes)
        return np.fft.rfft2(total.reshape(self.nodes, self.nodes).astype(np.float32), padded)

    def own(self) -> Values:
        """What each point contributes to the sum of w at itself: less than 1, as it is spread over four nodes."""
        beside, across = (np.float32(1 / (1 + steps * self.side**2)) for steps in (1, 2))
        a, b, c, d = self.shares
        found: Values = a * a + b * b + c * c + d * d + 2 * beside * (a + d) * (b + c) + 2 * across * (a * d + b * c)
        return found

    def gathered(self, transform: Transform) -> Values:
        """What a transform comes to at the points, [n]."""
        padded = (2 * self.nodes, 2 * self.nodes)
        values = np.fft.irfft2(transform, padded)[: self.nodes, : self.nodes].ravel()
        found = np.zeros(len(self.centred), np.float32)
        for corner, share in zip(self.corners, self.shares, strict=True):
            found += share * values[corner]
        return found
