"""Which pairs a step is made on: it follows from the seed and the step's number, so that a run can go on anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import SourceError
from clipsearch.training.pairs import Cell, Pair

_WINDOW = 8192
"""Rows of Parquet files that are shuffled among one another."""


class Order:
    """Every epoch shows every pair once, in an order of its own, short of those that do not fill a last batch.

    Files are shuffled freely. Rows of Parquet files are read by the row group, so the groups are shuffled, and the rows
    among those that make up 8,192 pairs together.
    """

    def __init__(self, pairs: Sequence[Pair], batch_size: int, seed: int) -> None:
        if len(pairs) < batch_size:
            raise SourceError(
                f"There are {len(pairs)} pictures to train on, fewer than a batch of {batch_size}: pass --batch-size "
                f"{max(2, len(pairs))} or less, or give more pictures."
            )
        self.steps_per_epoch = len(pairs) // batch_size
        self._batch_size, self._seed = batch_size, seed
        self._blocks = _blocks(pairs)
        self._epoch = lru_cache(maxsize=2)(self._shuffled)

    def rows(self, step: int) -> NDArray[np.int64]:
        """int64 [batch_size], places in the list of pairs of the step with this number, counted from 0."""
        epoch, place = divmod(step, self.steps_per_epoch)
        return self._epoch(epoch)[place * self._batch_size : (place + 1) * self._batch_size]

    def _shuffled(self, epoch: int) -> NDArray[np.int64]:
        rng = np.random.default_rng([self._seed, epoch])
        blocks = rng.permutation(int(self._blocks.max()) + 1)
        rows = np.argsort(blocks[self._blocks], kind="stable")
        ends = np.flatnonzero(np.diff(self._blocks[rows], append=-1)) + 1  # a window never cuts a block
        cuts: list[int] = []
        for end in ends.tolist():
            if end - (cuts[-1] if cuts else 0) >= _WINDOW:
                cuts.append(end)
        return np.concatenate([rng.permutation(window) for window in np.split(rows, cuts)])


def _blocks(pairs: Sequence[Pair]) -> NDArray[np.int64]:
    """int64 [n]: the number of the row group each pair is read with; a file is a block of its own."""
    numbers: dict[object, int] = {}
    keys = (
        (pair.picture.shard, pair.picture.row_group) if isinstance(pair.picture, Cell) else row
        for row, pair in enumerate(pairs)
    )
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
