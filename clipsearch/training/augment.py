"""Pictures varied at random, so that a model learns what they show and not their pixels."""

from __future__ import annotations

import math
import re
from random import Random

import numpy as np
from PIL import Image, ImageEnhance

from clipsearch.pictures import fit
from clipsearch.training.settings import Augmentation
from clipsearch.types import Pixels, Preprocessing

_SIDES = re.compile(r"\b(left|right|clockwise|text|sign|letters?|words?)\b", re.IGNORECASE)
_SMALLEST = {"light": 0.9, "strong": 0.5}


def augmented(image: Image.Image, preprocessing: Preprocessing, how: Augmentation, caption: str, rng: Random) -> Pixels:
    """An RGB picture as uint8 [height, width, 3] pixels for the model, varied.

    `none` is how a search reads it. `light` takes a part from anywhere, of 90 to 100 % of the area a search would take
    and with sides in a ratio of 3/4 to 4/3 of its, as open_clip trains by default. `strong` takes 50 to 100 %, mirrors
    half of the pictures unless the `caption` speaks of left, right or writing, varies brightness, contrast and colour
    by up to 30 %, and takes all colour out of one picture in twenty.
    """
    if how == "none":
        return fit(image, preprocessing)
    size = (preprocessing.width, preprocessing.height)
    box = _box(image.size, preprocessing, _SMALLEST[how], rng)
    image = image.resize(size, Image.Resampling.BICUBIC, box)
    return np.array(_varied(image, caption, rng) if how == "strong" else image)


def _box(
    size: tuple[int, int], preprocessing: Preprocessing, smallest: float, rng: Random
) -> tuple[float, float, float, float]:
    """A random part of a picture of `size`, as large as a share of what a search would see of it (Inception's crop:
    Szegedy et al. 2015, section 6)."""
    area, ratio = rng.uniform(smallest, 1.0), math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
    seen = size
    if preprocessing.resize_mode == "shortest":
        scale = min(size[0] / preprocessing.width, size[1] / preprocessing.height)
        seen = (round(preprocessing.width * scale), round(preprocessing.height * scale))
    width = min(size[0], seen[0] * math.sqrt(area * ratio))
    height = min(size[1], seen[1] * math.sqrt(area / ratio))
    left, top = rng.uniform(0, size[0] - width), rng.uniform(0, size[1] - height)
    return left, top, min(left + width, size[0]), min(top + height, size[1])


def _varied(image: Image.Image, caption: str, rng: Random) -> Image.Image:
    if rng.random() < 0.5 and not _SIDES.search(caption):
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(rng.uniform(0.7, 1.3))
    return image.convert("L").convert("RGB") if rng.random() < 0.05 else image
