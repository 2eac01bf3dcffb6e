"""Any of Pillow's colour modes to RGB, without clipping and without transparency."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert a loaded image of any mode to mode RGB, transparent parts on white, deep greys scaled to 8 bits."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_grey_levels(np.asarray(image))).convert("RGB")
    if image.mode == "LAB":
        return _from_lab(image)
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"))
    return image if image.mode == "RGB" else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas


def _from_lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert converted is not None  # it is None only for conversions in place
    return converted


def _grey_levels(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale greys of more than 8 bits [h, w] to 0..255."""
    levels = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = _scale(levels, (1, 255, 65535) if values.dtype.kind == "f" else (65535,))
    levels -= low
    levels *= 255 / (high - low)
    levels += 0.5
    return levels.astype(np.uint8)


def _scale(levels: NDArray[np.float32], whites: tuple[int, ...]) -> tuple[float, float]:
    """What is black and what is white: 0 and the first usual white that holds every level, else the extremes."""
    low, high = float(levels.min()), float(levels.max())
    fitting = [white for white in whites if high <= white]
    return (0.0, float(fitting[0])) if low >= 0 and fitting else (low, max(high, low + 1))
