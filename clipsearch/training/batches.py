"""Batches read ahead of the training: threads decode the next ones while the network works on this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from torch import Tensor

from clipsearch.errors import PictureError, SourceError
from clipsearch.pictures import read_file, read_picture
from clipsearch.training.augment import augmented
from clipsearch.training.batch import Batch
from clipsearch.training.order import Order
from clipsearch.training.pairs import Cell, Pair
from clipsearch.training.settings import Augmentation
from clipsearch.training.shards import Shards
from clipsearch.types import Pixels, Preprocessing, Vectors

_TRIES = 50
_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Share:
    """The part of every batch that is this process's: the `number`-th of `of`, counted from 0."""

    number: int = 0
    of: int = 1


class Batches:
    """The batch of a step, by the step's number.

    A picture that cannot be read is noted in `unreadable` with its reason, and the pair after it takes its place. What
    is random about a pair follows from the seed, the step and its place in the batch. Iterating forwards is fast.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        order: Order,
        tokenize: Callable[[Sequence[str]], Tensor],
        preprocessing: Preprocessing,
        augment: Augmentation,
        seed: int,
        *,
        teacher: Vectors | None = None,
        share: Share | None = None,
        threads: ThreadPoolExecutor,
    ) -> None:
        self.unreadable: dict[str, str] = {}
        self._pairs, self._order, self._tokenize, self._teacher = pairs, order, tokenize, teacher
        self._read = Reader(preprocessing, augment)
        self._seed, self._share, self._threads = seed, share or Share(), threads
        self._coming: dict[int, list[Future[_Read]]] = {}

    def __call__(self, step: int, progress: float) -> Batch:
        """This process's part of the batch of a step, on the CPU."""
        for ahead in range(step, step + _AHEAD):
            if ahead not in self._coming:
                self._coming[ahead] = self._begun(ahead)
        found = [future.result() for future in self._coming.pop(step)]
        for earlier in [number for number in self._coming if number < step]:
            del self._coming[earlier]
        rows = np.array([one.row for one in found])
        return Batch(
            normalised(np.stack([one.pixels for one in found]), self._read.preprocessing),
            (self._tokenize([one.caption for one in found]),),
            None if self._teacher is None else torch.from_numpy(self._teacher[rows]),
        )

    def _begun(self, step: int) -> list[Future[_Read]]:
        rows = self._order.rows(step)
        size = len(rows) // self._share.of
        places = range(self._share.number * size, (self._share.number + 1) * size)
        return [self._threads.submit(self._one, int(rows[place]), step, place) for place in places]

    def _one(self, row: int, step: int, place: int) -> _Read:
        rng = Random(f"{self._seed} {step} {place}")
        for number in range(min(_TRIES, len(self._pairs))):
            row_now = (row + number) % len(self._pairs)
            pair = self._pairs[row_now]
            caption = rng.choice(pair.captions)
            try:
                return _Read(row_now, self._read(pair, caption, rng), caption)
            except PictureError as error:
                self.unreadable[pair.name] = str(error)
        raise SourceError(
            f"{_TRIES} pictures one after the other cannot be read, the last one {pair.name}: check them."
        )


@dataclass(frozen=True, slots=True)
class _Read:
    row: int
    pixels: Pixels
    caption: str


class Reader:
    """Pictures of pairs to pixels; may be called from many threads."""

    def __init__(self, preprocessing: Preprocessing, augment: Augmentation) -> None:
        self.preprocessing, self._augment, self._shards = preprocessing, augment, Shards()

    def __call__(self, pair: Pair, caption: str, rng: Random) -> Pixels:
        """uint8 [height, width, 3]; raises PictureError."""
        picture = pair.picture
        content = self._shards.read(picture) if isinstance(picture, Cell) else read_file(picture)
        decoded = read_picture(content, draft=(self.preprocessing.width, self.preprocessing.height))
        return augmented(decoded.image, self.preprocessing, self._augment, caption, rng)


def normalised(pixels: Pixels, preprocessing: Preprocessing) -> Tensor:
    """uint8 [n, height, width, 3] to float32 (n, 3, height, width) as the towers read it, channels last."""
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (preprocessing.mean, preprocessing.std))
    return images.sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)
