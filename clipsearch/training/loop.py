"""The training loop."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from open_clip.model import CLIP
from torch import Tensor, nn

from .losses import clamp_scale_, clip_loss
from .optimizer import make_optimizer
from .schedule import warmup_cosine
from .text import encode_text_trimmed
from .vision import encode_image_any_size
from .workers import agree, gather_features, sum_gradients, world_size

# Images (n, 3, side, side) float32, and tokens (n, context) int64 of each picture's first caption, second, ...
Batch = tuple[Tensor, list[Tensor]]


@dataclass(frozen=True)
class Settings:
    """How to train.  The run ends after ``steps`` steps, or after ``minutes`` when that is given."""

    steps: int
    minutes: float | None = None
    lr: float = 1e-3
    weight_decay: float = 0.1
    warmup: float = 0.03
    clip_norm: float = 1.0
    log_every: int = 50
    checkpoint_every: int = 250

    def progress(self, step: int, seconds: float) -> float:
        """Share of the run that is done, 0..1."""
        return step / self.steps if self.minutes is None else seconds / (60 * self.minutes)


@dataclass(frozen=True)
class Report:
    """State of a run after ``step`` steps; ``loss`` is the mean since the last report."""

    step: int
    progress: float
    loss: float
    scale: float
    pairs_per_second: float


def train_step(model: CLIP, batch: Batch, optimizer: torch.optim.Optimizer, clip_norm: float) -> float:
    """One optimiser step on one batch; returns the loss before it, the mean over the captions of a picture."""
    images, captions = batch
    image_features = gather_features(encode_image_any_size(model, images))
    texts = encode_text_trimmed(model, torch.cat(captions)).chunk(len(captions))
    losses = [clip_loss(image_features, gather_features(text), model.logit_scale) for text in texts]
    loss = torch.stack(losses).mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    sum_gradients(model, model.logit_scale)
    nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimizer.step()
    clamp_scale_(model.logit_scale)
    return loss.item()


def train(
    model: CLIP,
    batch_at: Callable[[int, float], Batch],
    settings: Settings,
    report: Callable[[Report], None],
    checkpoint: Callable[[int], None],
) -> int:
    """Train ``model`` in place and return the number of steps made.

    ``batch_at(step, progress)`` gives the batch of a step; ``report`` and ``checkpoint`` are
    called every so many steps as the settings say.  In a run of several processes each calls
    this with an equal model and its own part of the batches.
    """
    optimizer = make_optimizer(model, settings.lr, settings.weight_decay)
    model.train()
    step, seen, total, start = 0, 0, 0.0, time.perf_counter()
    since = start
    while (progress := settings.progress(step, agree(time.perf_counter() - start))) < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = settings.lr * warmup_cosine(progress, settings.warmup)
        batch = batch_at(step, progress)
        total += train_step(model, batch, optimizer, settings.clip_norm)
        step, seen = step + 1, seen + world_size() * len(batch[0])
        if step % settings.log_every == 0:
            now = time.perf_counter()
            report(
                Report(step, progress, total / settings.log_every, model.logit_scale.exp().item(), seen / (now - since))
            )
            seen, total, since = 0, 0.0, now
        if step % settings.checkpoint_every == 0:
            checkpoint(step)
    return step
