"""Principal components: where a map begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""float32 [n, 2], points on a plane."""


def principal_plane(vectors: NDArray[np.float32]) -> Plane:
    """Vectors [n, dim] in the plane in which they vary most (Pearson 1901), float32 [n, 2], centred.

    Each axis points to where its largest component is positive, so that the same vectors give the same plane.
    """
    centred = vectors - vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    plane = axes[:, :-3:-1]
    plane *= np.sign(plane[np.abs(plane).argmax(axis=0), [0, 1]])
    found: Plane = centred @ plane.astype(np.float32)
    return found
