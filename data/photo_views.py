"""Photos and the crops of them that training shows: which crop is view v of photo p follows from p and v alone.

Teacher and pupil so look at the very same crops, at the size each reads, and no picture is stored twice.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FULL = 224
"""Photos are kept as squares of this side, which is what Flickr8k and Imagenette come as."""

VIEWS = 10
"""Crops of each photo: the whole, its mirror image, four with half of it or more, four with a fifth to three fifths."""

Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Photos:
    """Squares (n, 224, 224, 3) uint8 with the captions each has, which may be none."""

    pictures: Pictures
    captions: list[list[str]]

    def __len__(self) -> int:
        return len(self.pictures)


def load_captioned(folder: Path, split: str | None = None) -> Photos:
    """A folder of JPEGs, or of `images/` with them, and `captions.jsonl`; one split of it, or all."""
    records = [json.loads(line) for line in (folder / "captions.jsonl").read_text().splitlines()]
    chosen = [record for record in records if split is None or record["split"] == split]
    where = folder / "images" if (folder / "images").is_dir() else folder
    return Photos(_squares([where / r["file"] for r in chosen]), [r["captions"] for r in chosen])


def load_uncaptioned(folder: Path) -> Photos:
    """A folder of folders of JPEGs."""
    paths = sorted(folder.rglob("*.jp*g"))
    return Photos(_squares(paths), [[] for _ in paths])


def load_training(photos: Path) -> Photos:
    """All photos there are to learn from: Flickr8k's training split, COCO's, Imagenette's, in this order."""
    parts = load_captioned(photos / "flickr8k", "train"), load_captioned(photos / "coco")
    parts = *parts, load_uncaptioned(photos / "imagenette")
    return Photos(np.concatenate([p.pictures for p in parts]), [c for p in parts for c in p.captions])


def _squares(paths: list[Path]) -> Pictures:
    pictures = np.empty((len(paths), FULL, FULL, 3), np.uint8)
    for index, path in enumerate(paths):
        with Image.open(path) as image:
            rgb = image.convert("RGB")
            pictures[index] = np.asarray(rgb.resize((FULL, FULL), Image.Resampling.BICUBIC))
    return pictures


@dataclass(frozen=True)
class View:
    """A box of a 224 x 224 photo, whether it is mirrored, and gains of red, green and blue."""

    box: tuple[float, float, float, float]
    mirrored: bool
    gains: tuple[float, float, float]


def view(photo: int, number: int) -> View:
    """View `number` of photo `photo`."""
    if number < 2:
        return View((0, 0, FULL, FULL), number == 1, (1, 1, 1))
    rng = Random(f"view {photo} {number}")
    area = rng.uniform(0.5, 1) if number < 6 else rng.uniform(0.2, 0.6)
    aspect = 2 ** rng.uniform(-0.4, 0.4)
    width, height = min(1, (area * aspect) ** 0.5) * FULL, min(1, (area / aspect) ** 0.5) * FULL
    left, top = rng.uniform(0, FULL - width), rng.uniform(0, FULL - height)
    light = rng.uniform(0.75, 1.25)
    red, green, blue = (light * rng.uniform(0.93, 1.07) for _ in range(3))
    return View((left, top, left + width, top + height), rng.random() < 0.5, (red, green, blue))


def crop(picture: Pictures, seen: View, side: int) -> Pictures:
    """A view of a photo (224, 224, 3) as (side, side, 3) uint8."""
    image = Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC, box=seen.box)
    pixels = np.asarray(image)
    if seen.mirrored:
        pixels = pixels[:, ::-1]
    if seen.gains != (1, 1, 1):
        pixels = np.clip(pixels * np.array(seen.gains, np.float32), 0, 255).astype(np.uint8)
    return pixels
