"""Numbers that came from elsewhere into vectors as an index stores them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipsearch.types import StoredVectors

_ROUNDED = 2.0**-11 + 1e-5
"""How far from 1 the length of a unit vector may be once its numbers are float16: rounding moves each by at most 2^-11
of itself (IEEE 754 binary16, 11 significant bits), hence the length by at most as much; the rest is for subnormals."""


def as_stored(vectors: NDArray[np.floating]) -> tuple[StoredVectors, dict[int, str]]:
    """Vectors [n, dim] of any length as float16 [n, dim] of norm 1, and what is wrong with those that are none.

    One that has norm 1 to float16's precision already is only cast, so that vectors which come out of an index go in
    again as they are. The rows of bad ones, by their number, hold nothing of meaning.
    """
    numbers = vectors.astype(np.float64)
    finite = np.isfinite(numbers).all(axis=1)
    largest = np.abs(numbers).max(axis=1, initial=0.0)
    usable = finite & (largest > 0)
    bad = {int(row): "The vector has a number that is infinite or none." for row in np.flatnonzero(~finite)}
    bad |= {int(row): "The vector is all zeros." for row in np.flatnonzero(finite & ~usable)}
    # Divided by the largest first: squares of very large or small numbers are out of float64's range.
    scale = np.where(usable, largest, 1.0)
    directions = np.where(usable[:, None], numbers, 0.0) / scale[:, None]
    norms = np.linalg.norm(directions, axis=1)
    lengths = norms * scale
    kept = usable & (np.abs(lengths - 1) <= _ROUNDED)
    units = np.where(kept[:, None], numbers, directions / np.where(usable, norms, 1.0)[:, None])
    units[~usable] = 0.0
    return units.astype(np.float16), bad
