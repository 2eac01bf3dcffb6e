"""Pictures to compare two forms of an image tower by."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clipsearch.pictures import fit, read_picture
from clipsearch.types import Pixels, Preprocessing, Vectors

_COUNT = 8


def worst_cosine(found: Vectors, wanted: Vectors) -> float:
    """The least cosine of two lists of unit vectors [n, dim], one by one."""
    return float((found * wanted).sum(axis=1).min())


def sample_pixels(preprocessing: Preprocessing) -> Pixels:
    """Pictures of the shipped gallery from end to end, and `pattern` last: uint8 [n, height, width, 3]."""
    gallery = Path(__file__).parents[2] / "gallery"
    files = sorted(file for file in gallery.rglob("*.jpg") if file.parent.name != "awkward")
    chosen = files[:: max(1, len(files) // _COUNT)][:_COUNT]
    size = (preprocessing.width, preprocessing.height)
    shown = [fit(read_picture(file, draft=size).image, preprocessing) for file in chosen]
    return np.stack([*shown, pattern(preprocessing)])


def pattern(preprocessing: Preprocessing) -> Pixels:
    """A picture that needs no file: bands of colour that shift from left to right, uint8 [height, width, 3]."""
    y, x = np.mgrid[0 : preprocessing.height, 0 : preprocessing.width]
    return np.stack([x * y // 8, 2 * x + y, 3 * y - x], axis=-1).astype(np.uint8)
