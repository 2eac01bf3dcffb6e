"""The training loop: one step after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count

import torch
from torch import Tensor, nn

from clipsearch.training.batch import Batch
from clipsearch.training.distillation import distillation_loss
from clipsearch.training.gradients import backward
from clipsearch.training.image_tower import encode_image_any_size
from clipsearch.training.learner import Learner
from clipsearch.training.losses import clamp_scale_, clip_loss, siglip_loss
from clipsearch.training.schedule import warmup_cosine
from clipsearch.training.settings import Recipe
from clipsearch.training.text_tower import encode_text
from clipsearch.training.workers import gather_features, rank, sum_gradients, world_size

_HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class Step:
    """One step that was made: its number from 1, the share 0..1 of the run it began at, the loss before it, its
    learning rate, the inverse temperature and bias after it, and the pairs (all processes') a second."""

    step: int
    progress: float
    loss: float
    lr: float
    scale: float
    bias: float | None
    pairs_per_second: float


def train(
    learner: Learner,
    batch_at: Callable[[int, float], Batch],
    recipe: Recipe,
    lr: float,
    progress: Callable[[int], float],
    start: int = 0,
) -> Iterator[Step]:
    """Make steps, and yield each once it is made, until the run's progress is 1.

    What is random in a step follows from the seed and the step's number, so a run that is stopped and goes on at
    `start` makes the same steps as one that was not. In a run of several processes each calls this with an equal
    learner and its own part of the batches.

    Args:
        learner: Changed in place.
        batch_at: The batch of a step, by its number from 0 and the run's progress.
        recipe: How to train.
        lr: Peak learning rate.
        progress: Share of the run that is done after so many steps, the same in all processes.
        start: Steps made before.
    """
    for number in count(start):
        done = progress(number)
        if done >= 1.0:
            return
        began = time.perf_counter()
        rate = lr * warmup_cosine(done, recipe.warmup)
        for group in learner.optimizer.param_groups:
            group["lr"] = rate
        batch = batch_at(number, done)
        torch.manual_seed(hash((recipe.seed, number, rank())) % 2**62)
        loss = train_step(learner, batch, recipe)
        if learner.average:
            learner.average.update(learner.network, number + 1)
        network, seconds = learner.network, time.perf_counter() - began
        scale, bias = network.logit_scale.exp().item(), network.logit_bias.item() if recipe.loss == "siglip" else None
        yield Step(number + 1, done, loss, rate, scale, bias, world_size() * len(batch) / seconds)


def train_step(learner: Learner, batch: Batch, recipe: Recipe) -> float:
    """One optimiser step on one batch; returns the loss before it, the mean over the captions of a picture.

    In float16 the loss is multiplied by a scale, so that small gradients do not vanish, and the gradients divided by it
    (Micikevicius et al. 2018, "Mixed Precision Training", section 3.2). Where they overflow, in whichever process, the
    weights stay as they are and the scale is halved.
    """
    learner.train()
    learner.optimizer.zero_grad(set_to_none=True)
    encode = partial(encode_batch, learner.network, recipe)
    scaler, scale = learner.scaler, learner.scaler.get_scale()
    loss = backward(
        learner.network,
        encode,
        lambda features: scaler.scale(_objective(learner, recipe, batch.teacher, features)),
        batch,
        recipe.chunk,
    )
    sum_gradients(learner.modules, learner.shared)
    scaler.unscale_(learner.optimizer)
    nn.utils.clip_grad_norm_([p for module in learner.modules for p in module.parameters()], recipe.clip_norm)
    scaler.step(learner.optimizer)
    scaler.update()
    if recipe.loss == "clip":
        clamp_scale_(learner.network.logit_scale)
    return loss.item() / scale


def encode_batch(network: nn.Module, recipe: Recipe, batch: Batch) -> list[Tensor]:
    """Features of pictures, then of each column of captions, float32 whatever the towers compute in."""
    device = batch.images.device.type
    precision = ("bfloat16" if device == "cuda" else "float32") if recipe.precision == "auto" else recipe.precision
    with torch.autocast(device, _HALVES.get(precision), enabled=precision in _HALVES):
        images = encode_image_any_size(network, batch.images)
        texts = encode_text(network, torch.cat(batch.captions)).chunk(len(batch.captions))
    return [images.float(), *(text.float() for text in texts)]


def _objective(learner: Learner, recipe: Recipe, teacher: Tensor | None, features: list[Tensor]) -> Tensor:
    """The loss over all processes' features."""
    images, *texts = [gather_features(column) for column in features]
    network = learner.network
    if recipe.loss == "clip":
        losses = [clip_loss(images, text, network.logit_scale) for text in texts]
    else:
        losses = [siglip_loss(images, text, network.logit_scale, network.logit_bias) for text in texts]
    loss = torch.stack(losses).mean()
    if teacher is not None:
        loss = loss + recipe.teacher_weight * distillation_loss(images, gather_features(teacher), learner.head)
    return loss
