"""Training batches for mini: painted scenes and photos with captions made or drawn at random."""

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip.tokenizer import SimpleTokenizer
from PIL import Image
from scenes.captions import thing_caption, training_caption
from scenes.scene import Scene, close_up, random_scene
from torch import Tensor
from torch.nn import functional

from clipsearch.training.batch import Batch

SIDE = 128
CONTEXT = 32
MEAN = (0.48145466, 0.4578275, 0.40821073)  # CLIP's own statistics (Radford et al. 2021, code release)
STD = (0.26862954, 0.26130258, 0.27577711)
_PHOTO_SIDE = 160

Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Photos:
    """Photos (n, 160, 160, 3) uint8 with five human captions each."""

    pictures: Pictures
    captions: list[list[str]]


def load_photos(folder: Path, split: str) -> Photos:
    """One split of Flickr8k as squares."""
    records = [json.loads(line) for line in (folder / "captions.jsonl").read_text().splitlines()]
    chosen = [record for record in records if record["split"] == split]
    pictures = np.empty((len(chosen), _PHOTO_SIDE, _PHOTO_SIDE, 3), np.uint8)
    for index, record in enumerate(chosen):
        with Image.open(folder / "images" / record["file"]) as image:
            pictures[index] = np.asarray(
                image.convert("RGB").resize((_PHOTO_SIDE, _PHOTO_SIDE), Image.Resampling.BICUBIC)
            )
    return Photos(pictures, [record["captions"] for record in chosen])


def _crops(pictures: Pictures, rows: list[int], smallest: float, side: int, rng: Random) -> Tensor:
    """Random crops of one common random size, resampled to (n, 3, side, side) float32 in 0..255."""
    full = pictures.shape[1]
    height, width = (full if rng.random() < 0.35 else rng.randint(int(smallest * full), full) for _ in range(2))
    out = np.empty((len(rows), height, width, 3), np.uint8)
    for index, row in enumerate(rows):
        y, x = rng.randint(0, full - height), rng.randint(0, full - width)
        out[index] = pictures[row, y : y + height, x : x + width]
    stacked = torch.from_numpy(out).permute(0, 3, 1, 2).float()
    return functional.interpolate(stacked, (side, side), mode="bilinear", antialias=True)


def _jitter(images: Tensor, rng: Random) -> Tensor:
    """Random brightness, contrast and colour cast for each picture."""
    count = len(images)
    gain = torch.tensor([[rng.uniform(0.85, 1.15) * rng.uniform(0.95, 1.05) for _ in range(3)] for _ in range(count)])
    shift = torch.tensor([rng.uniform(-18, 18) for _ in range(count)])
    return (images * gain.view(count, 3, 1, 1) + shift.view(count, 1, 1, 1)).clamp_(0, 255)


def normalise(images: Tensor) -> Tensor:
    """(n, 3, side, side) float32 in 0..255 to the model's input."""
    mean, std = torch.tensor(MEAN).view(3, 1, 1) * 255, torch.tensor(STD).view(3, 1, 1) * 255
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Stage:
    """A part of the run, up to share ``until`` of it: which paintings, how large, how many at a time."""

    until: float
    source: Literal["close_ups", "scenes"]
    side: int
    batch: int
    photo_share: float


# From close-ups, which teach the things, to whole scenes at full size.  Sides are multiples of 32.
STAGES = (
    Stage(0.22, "close_ups", 64, 192, 0.1),
    Stage(0.72, "scenes", 96, 128, 0.2),
    Stage(1.0, "scenes", SIDE, 128, 0.2),
)


@dataclass(frozen=True)
class Paintings:
    """Painted pictures (n, side, side, 3) uint8 and what they show."""

    pictures: Pictures
    scenes: list[Scene]


def load_paintings(folder: Path) -> dict[str, Paintings]:
    """What render_train.py wrote, by source."""
    close_ups = np.load(folder / "close_ups.npy", mmap_mode="r")
    scenes = np.load(folder / "scenes.npy", mmap_mode="r")
    return {
        "close_ups": Paintings(close_ups, [close_up(row) for row in range(len(close_ups))]),
        "scenes": Paintings(scenes, [random_scene(row, "train") for row in range(len(scenes))]),
    }


class Batches:
    """Draws a worker's part of the batch of a step from the step's number alone.

    Workers share out paintings and photos by row number, so a batch never shows one twice.
    Every picture comes with two captions, of which a painting's second only names things:
    backgrounds alone tell most pictures of a batch apart, and things would hardly be learned.
    """

    def __init__(
        self,
        paintings: dict[str, Paintings],
        photos: Photos,
        tokenizer: SimpleTokenizer,
        seed: int,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        self.paintings, self.photos, self.tokenizer = paintings, photos, tokenizer
        self.seed, self.worker, self.workers = seed, worker, workers

    def _photos(self, count: int, side: int, rng: Random) -> tuple[Tensor, list[list[str]]]:
        rows = rng.sample(range(self.worker, len(self.photos.pictures), self.workers), count)
        images = _crops(self.photos.pictures, rows, 0.6, side, rng)
        texts = [rng.sample(self.photos.captions[row], 2) for row in rows]
        for index, both in enumerate(texts):
            if rng.random() < 0.5 and not any(word in text for text in both for word in ("left", "right")):
                images[index] = images[index].flip(-1)
        return images, texts

    def _paintings(self, source: str, count: int, side: int, rng: Random) -> tuple[Tensor, list[list[str]]]:
        found = self.paintings[source]
        rows = rng.sample(range(self.worker, len(found.scenes), self.workers), count)
        texts = [[training_caption(found.scenes[row], rng), thing_caption(found.scenes[row], rng)] for row in rows]
        return _crops(found.pictures, rows, 0.84, side, rng), texts

    def __call__(self, step: int, progress: float) -> Batch:
        """Images of a step and the tokens of their first and their second captions."""
        rng = Random(f"batch {self.seed} {step} {self.worker}")
        stage = next(stage for stage in STAGES if progress < stage.until)
        size = stage.batch // self.workers
        photo_count = round(size * stage.photo_share)
        painted, texts = self._paintings(stage.source, size - photo_count, stage.side, rng)
        photos, photo_texts = self._photos(photo_count, stage.side, rng)
        images = normalise(_jitter(torch.cat([painted, photos]), rng))
        columns = zip(*texts, *photo_texts, strict=True)
        return Batch(images, tuple(self.tokenizer(list(column)) for column in columns))
