"""Ways in which pictures are spoilt, at strengths one meets; after Hendrycks and Dietterich 2019, "Benchmarking Neural
Network Robustness to Common Corruptions and Perturbations", at the scale of a picture whose shorter side is 256."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

_SIDE = 256


@dataclass(frozen=True, slots=True)
class Distortion:
    """A function of an RGB picture and of a seed, and how it is called."""

    how: str
    apply: Callable[[Image.Image, int], Image.Image]


def at_scale(image: Image.Image) -> Image.Image:
    """The picture with a shorter side of 256 pixels, so that one strength is as strong for any picture."""
    ratio = _SIDE / min(image.size)
    width, height = (max(1, round(side * ratio)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)


def _blur(image: Image.Image, _: int) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(3))


def _noise(image: Image.Image, seed: int) -> Image.Image:
    pixels = np.asarray(image, np.float32)
    noisy = pixels + np.random.default_rng(seed).normal(0, 30, pixels.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _jpeg(image: Image.Image, _: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=10)
    return Image.open(buffer).convert("RGB")


def _crop(image: Image.Image, seed: int) -> Image.Image:
    width, height = (max(1, round(side * 0.7)) for side in image.size)
    rng = np.random.default_rng(seed)
    left, top = int(rng.integers(image.width - width + 1)), int(rng.integers(image.height - height + 1))
    return image.crop((left, top, left + width, top + height))


def _rotation(image: Image.Image, seed: int) -> Image.Image:
    angle = 15 if seed % 2 else -15
    return image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=(128, 128, 128))


def _turn(image: Image.Image, _: int) -> Image.Image:
    return image.transpose(Image.Transpose.ROTATE_90)


def _greyscale(image: Image.Image, _: int) -> Image.Image:
    return image.convert("L").convert("RGB")


DISTORTIONS: Mapping[str, Distortion] = {
    "none": Distortion("as it is, at that scale", lambda image, _: image),
    "blur": Distortion("Gaussian, standard deviation 3 pixels", _blur),
    "noise": Distortion("Gaussian, standard deviation 30 of 255", _noise),
    "jpeg": Distortion("JPEG of quality 10", _jpeg),
    "crop": Distortion("70 % of each side, anywhere", _crop),
    "rotation": Distortion("by 15 degrees", _rotation),
    "turn": Distortion("by 90 degrees", _turn),
    "greyscale": Distortion("no colour", _greyscale),
}
"""By name, the first for comparison: what scaling alone does."""
