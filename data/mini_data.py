"""Training batches for mini: painted scenes and photos with captions made or drawn at random."""

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip.tokenizer import SimpleTokenizer
from photo_views import VIEWS, Photos, crop, view
from scenes.captions import thing_caption, training_caption
from scenes.scene import Scene, close_up, random_scene
from torch import Tensor
from torch.nn import functional

from clipsearch.training.batch import Batch

SIDE = 192
CONTEXT = 32
MEAN = (0.48145466, 0.4578275, 0.40821073)  # CLIP's own statistics (Radford et al. 2021, code release)
STD = (0.26862954, 0.26130258, 0.27577711)
WIDE_VIEWS = 6  # of a photo's views those that show at least half of it, as captions speak of the whole

Pictures = NDArray[np.uint8]


def _crops(pictures: Pictures, rows: list[int], smallest: float, side: int, rng: Random) -> Tensor:
    """Random crops of one common random size, resampled to (n, 3, side, side) float32 in 0..255."""
    full = pictures.shape[1]
    height, width = (full if rng.random() < 0.35 else rng.randint(int(smallest * full), full) for _ in range(2))
    out = np.empty((len(rows), height, width, 3), np.uint8)
    for index, row in enumerate(rows):
        y, x = rng.randint(0, full - height), rng.randint(0, full - width)
        out[index] = pictures[row, y : y + height, x : x + width]
    return functional.interpolate(planes(out), (side, side), mode="bilinear", antialias=True)


def _jitter(images: Tensor, rng: Random) -> Tensor:
    """Random brightness, contrast and colour cast for each picture."""
    count = len(images)
    gain = torch.tensor([[rng.uniform(0.85, 1.15) * rng.uniform(0.95, 1.05) for _ in range(3)] for _ in range(count)])
    shift = torch.tensor([rng.uniform(-18, 18) for _ in range(count)])
    return (images * gain.view(count, 3, 1, 1) + shift.view(count, 1, 1, 1)).clamp_(0, 255)


def planes(pixels: Pictures) -> Tensor:
    """(n, side, side, 3) uint8 as (n, 3, side, side) float32, still in 0..255."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float()


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
    Stage(0.12, "close_ups", 96, 128, 0.4),
    Stage(0.6, "scenes", 128, 128, 0.45),
    Stage(1.0, "scenes", SIDE, 128, 0.5),
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
    ``taught`` holds the teachers' vector of every view of every photo; of paintings they know nothing.
    """

    def __init__(
        self,
        paintings: dict[str, Paintings],
        photos: Photos,
        taught: NDArray[np.float16],
        tokenizer: SimpleTokenizer,
        seed: int,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        self.paintings, self.photos, self.taught, self.tokenizer = paintings, photos, taught, tokenizer
        self.seed, self.worker, self.workers = seed, worker, workers

    def _photos(self, count: int, side: int, rng: Random) -> tuple[Tensor, list[list[str]], Tensor]:
        rows = rng.sample(range(self.worker, len(self.photos), self.workers), count)
        texts = [rng.sample(self.photos.captions[row], 2) for row in rows]
        views = [rng.randrange(WIDE_VIEWS) for _ in rows]
        for index, (row, both) in enumerate(zip(rows, texts, strict=True)):
            sided = any(word in text for text in both for word in ("left", "right"))
            if sided and view(row, views[index]).mirrored:
                views[index] = 0
        seen = list(zip(rows, views, strict=True))
        pixels = np.stack([crop(self.photos.pictures[row], view(row, number), side) for row, number in seen])
        taught = self.taught[[row * VIEWS + number for row, number in seen]]
        return planes(pixels), texts, torch.from_numpy(taught).float()

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
        photos, photo_texts, taught = self._photos(photo_count, stage.side, rng)
        images = normalise(_jitter(torch.cat([painted, photos]), rng))
        columns = zip(*texts, *photo_texts, strict=True)
        unknown = torch.full((len(painted), taught.shape[1]), torch.nan)
        return Batch(images, tuple(self.tokenizer(list(column)) for column in columns), torch.cat([unknown, taught]))
