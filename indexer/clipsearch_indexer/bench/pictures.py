"""JPEGs to index, as a phone, a screen and a camera make them: made of the shipped gallery, or of other pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import clipsearch
from clipsearch.errors import SourceError
from clipsearch.pictures import read_picture

SIZES = ((640, 480), (1920, 1080), (4000, 3000))
"""(width, height) in pixels: what is shared, a screen, and a camera of 12 megapixels."""

_QUALITY = 90
_GRAIN = 4.0
"""Standard deviation of the grain, in levels of 256, about that of a phone's sensor by day. Without it an enlarged
picture is smooth, and its JPEG smaller and quicker to decode than any photo's."""

_TILE = 512


def make_pictures(
    folder: Path,
    count: int,
    *,
    sizes: Sequence[tuple[int, int]] = SIZES,
    originals: Sequence[Path] = (),
    tell: Callable[[int], None] = lambda done: None,
) -> None:
    """Write `count` JPEGs `000000.jpg` and so on, which are the same each time; those that are there are left alone.

    Args:
        folder: where to, made if need be.
        count: how many.
        sizes: (width, height) of one after the other, in pixels.
        originals: picture files to make them of, cropped to the shape and enlarged; the shipped gallery by default.
            One that is used again is mirrored, cropped a little more, and has other grain.
        tell: hears how many are there.

    Raises:
        SourceError: there are no originals.
        PictureError: an original cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = sorted(originals) if originals else gallery()
    if not files:
        raise SourceError("There are no pictures to make others of; name files that are there.")
    grain = np.random.default_rng(0).normal(0, _GRAIN, (_TILE, _TILE, 3)).round().astype(np.int16)

    def make(number: int) -> None:
        target = folder / f"{number:06d}.jpg"
        if target.exists():
            return
        original = read_picture(files[number % len(files)]).image
        pixels = np.asarray(_variant(original, sizes[number % len(sizes)], number // len(files)))
        shown = np.clip(pixels + _tiled(np.roll(grain, number * 37, axis=(0, 1)), pixels.shape), 0, 255)
        draft = target.with_suffix(".draft")
        Image.fromarray(shown.astype(np.uint8)).save(draft, "jpeg", quality=_QUALITY)
        draft.replace(target)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(make, range(count)), start=1):
            tell(done)


def gallery() -> list[Path]:
    """The photos of the shipped gallery."""
    place = Path(clipsearch.__file__).parent / "gallery"
    return sorted(file for file in place.rglob("*.jp*g") if file.parent.name != "awkward")


def _variant(picture: Image.Image, size: tuple[int, int], turn: int) -> Image.Image:
    """A picture cropped to the shape of `size` and enlarged to it; each `turn` shows it otherwise."""
    picture = ImageOps.mirror(picture) if turn % 2 else picture
    border = 0.02 * (turn // 2 % 10)
    width, height = picture.size
    left, top = round(border * width), round(border * height)
    inner = picture.crop((left, top, width - left, height - top))
    return ImageOps.fit(inner, size, Image.Resampling.BICUBIC)


def _tiled(grain: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    repeats = (-(-shape[0] // _TILE), -(-shape[1] // _TILE), 1)
    return np.tile(grain, repeats)[: shape[0], : shape[1]]
