"""An upright RGB picture to the pixels a model reads, as open_clip's evaluation transform makes them."""

from __future__ import annotations

from math import floor

import numpy as np
from PIL import Image

from clipsearch.pictures.resize import Resize, Size, resize
from clipsearch.types import Pixels, Preprocessing

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
_LONG = 4
"""How many times taller than what is kept of it a resized picture may be."""


def fit(image: Image.Image, preprocessing: Preprocessing, resizing: Resize = resize) -> Pixels:
    """Resize and crop an RGB image as `preprocessing` says; returns uint8 [height, width, 3].

    What `open_clip.image_transform(..., is_train=False)` has before `ToTensor`, exactly so when `resizing` by Pillow,
    else to a few levels; in bounded memory: of a picture 2000 x 3 it does not first make one of 149,333 x 224.
    """
    target = (preprocessing.width, preprocessing.height)
    whole = _whole_size(image.size, preprocessing)
    shown = (min(whole[0], target[0]), min(whole[1], target[1]))
    halved = floor if preprocessing.resize_mode == "shortest_hf" else round
    corner = (halved((whole[0] - shown[0]) / 2), halved((whole[1] - shown[1]) / 2))
    pixels = _resized(image, whole, (*corner, *shown), _filter(preprocessing), resizing)
    return pixels if shown == target else _on_canvas(pixels, preprocessing)


def _resized(
    image: Image.Image, whole: Size, part: tuple[int, int, int, int], resampling: Image.Resampling, resizing: Resize
) -> Pixels:
    """Resize to `whole`, keep `part` of it (left, top, width, height)."""
    left, top, width, height = part
    kept = (left, top, left + width, top + height)
    if whole[0] == width and whole[1] <= _LONG * height:
        # In one step Pillow may take rows and columns of a tall picture in the other order than open_clip does, which
        # changes some pixels by a few levels.
        return resizing(image, whole, resampling, None)[top : top + height]
    # In one step: what is cut off costs nothing.
    box = [place * size / resized for place, size, resized in zip(kept, image.size * 2, whole * 2, strict=True)]
    inside = (box[0], box[1], min(box[2], image.width), min(box[3], image.height))
    return resizing(image, (width, height), resampling, inside)


def _whole_size(size: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    """Size (width, height) of the whole picture once resized, before anything is cut off or added."""
    target = (preprocessing.width, preprocessing.height)
    if preprocessing.resize_mode == "squash":
        return target
    if preprocessing.resize_mode.startswith("shortest") and target[0] == target[1]:
        # torchvision's Resize(side) rounds the longer side down, timm's ResizeKeepRatio rounds to the nearest.
        side, short = target[0], min(size)
        return side * size[0] // short, side * size[1] // short
    ratios = (size[0] / target[0], size[1] / target[1])
    ratio = max(ratios) if preprocessing.resize_mode == "longest" else min(ratios)
    return max(1, round(size[0] / ratio)), max(1, round(size[1] / ratio))


def _filter(preprocessing: Preprocessing) -> Image.Resampling:
    # open_clip forgets the interpolation of pictures cropped to a target that is not square.
    forgotten = preprocessing.resize_mode == "shortest" and preprocessing.width != preprocessing.height
    return Image.Resampling.BICUBIC if forgotten else _FILTERS[preprocessing.interpolation]


def _on_canvas(pixels: Pixels, preprocessing: Preprocessing) -> Pixels:
    """Centre pixels that are too small on a canvas of the fill grey."""
    canvas = np.full((preprocessing.height, preprocessing.width, 3), preprocessing.fill, np.uint8)
    height, width = pixels.shape[:2]
    top, left = (preprocessing.height - height) // 2, (preprocessing.width - width) // 2
    canvas[top : top + height, left : left + width] = pixels
    return canvas
