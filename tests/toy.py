"""A deterministic encoder without weights, for tests of storage and search: colours are words.

A picture's vector is its 4x4 grid of mean colours; a text's is the flat picture of the colour it names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from PIL import ImageColor

from clipsearch.types import Pixels, Preprocessing, Vectors

SIDE, GRID = 16, 4


class ToyEncoder:
    def __init__(self, name: str = "toy") -> None:
        self.name = name
        self.fingerprint = f"{name}-1"
        self.dim = GRID * GRID * 3
        self.batch_size = 8
        self.preprocessing = Preprocessing(SIDE, SIDE, "squash", "bilinear", (0.0,) * 3, (1.0,) * 3)
        self.logit_scale = 100.0
        self.logit_bias: float | None = None
        self.embedded = 0

    def encode_images(self, pixels: Pixels) -> Vectors:
        self.embedded += len(pixels)
        cells = pixels.reshape(-1, GRID, SIDE // GRID, GRID, SIDE // GRID, 3).astype(np.float64)
        return _unit(cells.mean(axis=(2, 4)).reshape(len(pixels), -1))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        colours = np.array([_colour(text) for text in texts], dtype=np.float64)
        return _unit(np.tile(colours, GRID * GRID))


def _colour(text: str) -> tuple[int, ...]:
    """The colour that a text is or names in one of the ways a template puts it; of any other text, one of its own."""
    named = [word for word in text.lower().strip(".").split() if word in ImageColor.colormap]
    try:
        return ImageColor.getrgb(named[0] if named else text)
    except ValueError:
        return tuple(hashlib.blake2b(text.encode(), digest_size=3).digest())


def _unit(values: np.ndarray) -> Vectors:
    centred = values - 100.0
    return (centred / np.linalg.norm(centred, axis=1, keepdims=True)).astype(np.float32)
