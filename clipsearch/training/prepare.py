"""Everything a training needs, made from what it was called with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from clipsearch.errors import SourceError, UsageError
from clipsearch.training.batches import Batches, Share
from clipsearch.training.checkpoint import describe_run
from clipsearch.training.distillation import make_head
from clipsearch.training.learner import Learner, make_learner
from clipsearch.training.order import Order
from clipsearch.training.pairs import Pair, keep_aside, read_pairs
from clipsearch.training.settings import Recipe
from clipsearch.training.start import Start, begin
from clipsearch.training.teacher import read_teacher
from clipsearch.training.workers import rank, world_size


@dataclass(frozen=True, slots=True)
class Job:
    """What `clipsearch.train` is called with; paths are absolute."""

    sources: tuple[Path, ...]
    out: Path
    model: str | None
    architecture: str | None
    recipe: Recipe
    validation: tuple[Path, ...]
    teacher: Path | None
    image_column: str | None
    caption_column: str | None
    device: str
    workers: int | None
    save_every: int
    offline: bool

    @property
    def state(self) -> Path:
        """Where the run keeps what is no part of the model."""
        return self.out / "training"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run about to begin or to go on. `facts` is what it is known by."""

    start: Start
    learner: Learner
    tokenize: Callable[[Sequence[str]], Tensor]
    pairs: Sequence[Pair]
    aside: Sequence[Pair]
    order: Order
    batches: Batches
    lr: float
    steps: int
    facts: dict[str, Any]


def prepare(job: Job, device: torch.device, threads: ThreadPoolExecutor) -> Prepared:
    """Find the pairs, load the model and put it on the device.

    Raises:
        UsageError: The batch does not divide among the processes, or it is unclear what to begin with.
        SourceError: There are no pairs, or fewer than a batch.
        ModelError: The model cannot be found, built or loaded.
    """
    recipe = job.recipe
    if recipe.batch_size % world_size():
        raise UsageError(f"A batch of {recipe.batch_size} does not divide among {world_size()} processes; change it.")
    pairs, aside = _pairs(job)
    order = Order(pairs, recipe.batch_size, recipe.seed)
    start = begin(job.model, job.architecture, seed=recipe.seed, offline=job.offline)
    teacher = None if job.teacher is None else read_teacher(job.teacher, pairs)
    head = None if teacher is None else make_head(int(start.config["embed_dim"]), teacher.shape[1])
    lr, tokenize = recipe.lr or start.lr, start.tokenize()
    share = Share(rank(), world_size())
    batches = Batches(
        pairs,
        order,
        tokenize,
        start.preprocessing,
        recipe.augment,
        recipe.seed,
        teacher=teacher,
        share=share,
        threads=threads,
    )
    network = start.network.to(device).to(memory_format=torch.channels_last)
    return Prepared(
        start,
        make_learner(network, recipe, lr, None if head is None else head.to(device)),
        tokenize,
        pairs,
        aside,
        order,
        batches,
        lr,
        recipe.epochs * order.steps_per_epoch,
        describe_run(recipe, start.begun_with, job.teacher, pairs),
    )


def _pairs(job: Job) -> tuple[list[Pair], list[Pair]]:
    columns = {"image_column": job.image_column, "caption_column": job.caption_column}
    found = read_pairs(job.sources, **columns)
    if job.validation:
        pairs, aside = [pair for pair in found if pair.split == "train"], read_pairs(job.validation, **columns)
    else:
        pairs, aside = keep_aside(found)
    if not pairs:
        raise SourceError("All pictures of the sources are for validation: none has the split `train`, or none at all.")
    return pairs, aside
