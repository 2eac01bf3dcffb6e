"""What a picture looks like in 64 bits, how sharp and how bright it is: facts that tell copies of one picture apart or
together, and good pictures from bad.

All are taken from the upright picture, not from what a model reads, so that they mean the same in every index.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE = 256
"""They are measured on a grey square of this many pixels a side, whatever the picture's size and shape. A JPEG is never
decoded to less than twice what a model reads, which for every model is at least this much."""

_HASHED = 32
"""Side of the square whose cosine transform is hashed (Zauner 2010, section 3.2.1)."""

_FLAT = 16.0
"""A coefficient of at most this much counts as none: rounding the 32 x 32 greys to whole levels alone makes
coefficients of a few units, and a picture of one colour must have the same hash however it was compressed."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """`perceptual_hash`: 64 bits in an int64; pictures that look alike differ in few of them. `sharpness`: the
    variance of the Laplacian, in squared grey levels; 0 for a picture of one colour, larger the more detail there is.
    `exposure`: the mean grey level, 0 for a black picture, 1 for a white one; None where it was not measured, as by
    earlier versions.
    """

    perceptual_hash: int
    sharpness: float
    exposure: float | None


def appearance(image: Image.Image) -> Appearance:
    """Measure an upright RGB image."""
    # Averaging whole pixels is quickest, but where it enlarges it copies them, which makes edges that are not there.
    enlarged = min(image.size) < _SIDE
    resampling = Image.Resampling.BILINEAR if enlarged else Image.Resampling.BOX
    square = image.convert("L").resize((_SIDE, _SIDE), resampling)
    grey = np.asarray(square)
    return Appearance(_hash(square), _sharpness(grey), float(grey.mean()) / 255)


def _hash(square: Image.Image) -> int:
    """The signs of the 64 lowest frequencies of the cosine transform, without the mean.

    Zauner (2010) compares the block of coefficients 1..8 x 1..8 with its median. Taking the lowest 64 in JPEG's zigzag
    order instead, and comparing with zero, finds more copies at the same precision; `tests/benchmarks/duplicates.py`
    prints both.
    """
    small = square.reduce(_SIDE // _HASHED // 2).resize((_HASHED, _HASHED), Image.Resampling.BILINEAR)
    coefficients = _COSINES @ np.asarray(small, dtype=np.float32) @ _COSINES.T
    bits = coefficients[_ROWS, _COLUMNS] > _FLAT
    return int(np.packbits(bits).view(">i8")[0])


def _sharpness(grey: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000, "LAPV"), with the 4-neighbour kernel."""
    laplacian = grey[:-2, 1:-1].astype(np.int16)
    for neighbour in (grey[2:, 1:-1], grey[1:-1, :-2], grey[1:-1, 2:]):
        laplacian += neighbour
    laplacian -= 4 * grey[1:-1, 1:-1].astype(np.int16)
    return float(laplacian.var(dtype=np.float32))


def _lowest_frequencies(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the lowest frequencies after the mean, by the sum of both."""
    places = [(row, total - row) for total in range(1, _HASHED) for row in range(total + 1)][:count]
    rows, columns = np.array(places, dtype=np.intp).T
    return rows, columns


_FREQUENCIES, _PLACES = np.arange(11)[:, None], np.arange(_HASHED)[None, :]
_COSINES = np.cos(np.pi * (2 * _PLACES + 1) * _FREQUENCIES / (2 * _HASHED)).astype(np.float32)
"""The first rows of the discrete cosine transform (DCT-II), not normalised, float32 [11, 32]."""

_ROWS, _COLUMNS = _lowest_frequencies(64)
