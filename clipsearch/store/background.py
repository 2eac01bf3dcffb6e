"""Statistics of an index's vectors: how a query scores against pictures that have nothing to do with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Background:
    """Mean float32 [dim] and covariance float32 [dim, dim] of an index's vectors."""

    mean: Vector
    covariance: Vector

    def centre(self, vector: Vector) -> float:
        """The mean inner product of a vector [dim] with the index's vectors."""
        return float(vector @ self.mean)

    def spread(self, vector: Vector) -> float:
        """The standard deviation of a vector's inner products with the index's vectors: sqrt(v^T C v)."""
        return float(np.sqrt(max(float(vector @ self.covariance @ vector), 1e-12)))
