"""How to train, how far a run is, and what it did; nothing in here needs torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clipsearch.errors import UsageError

Loss = Literal["clip", "siglip"]
Tower = Literal["image", "text"]
Augmentation = Literal["none", "light", "strong"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train: everything that decides, with the pairs and the model to begin with, which weights come out.

    Attributes:
        epochs: Times that every picture is shown.
        batch_size: Pairs a step, all processes together; each is told from all others.
        chunk: Pairs that go through the towers at a time, in each process; less memory, same gradients (GradCache).
            None takes a process's whole share at once.
        lr: Peak learning rate; None is 5e-4 from nothing and 1e-5 from a model, as is usual for CLIP.
        weight_decay: AdamW's, on weight matrices only.
        warmup: Share of the steps, 0..1, in which the rate rises.
        clip_norm: Gradients longer than this are shortened to it.
        loss: `clip` or `siglip`, see `clipsearch.training.losses`.
        lock: The tower that stays as it is (LiT: Zhai et al. 2022), or None.
        precision: What the towers compute in; `auto` is bfloat16 on CUDA, else float32. float16, with a scaled loss, is
            for GPUs without bfloat16. Weights are float32.
        ema: Decay of the exponential moving average of the weights that is written instead of the last ones, 0..1;
            None writes the last ones.
        augment: How pictures are varied, see `clipsearch.training.augment`.
        teacher_weight: Of the distillation beside the contrastive loss.
        seed: Of everything random.
    """

    epochs: int = 10
    batch_size: int = 256
    chunk: int | None = None
    lr: float | None = None
    weight_decay: float = 0.1
    warmup: float = 0.05
    clip_norm: float = 1.0
    loss: Loss = "clip"
    lock: Tower | None = None
    precision: Precision = "auto"
    ema: float | None = None
    augment: Augmentation = "light"
    teacher_weight: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, fine, wanted in (
            ("epochs", self.epochs, self.epochs >= 1, "at least 1"),
            ("batch_size", self.batch_size, self.batch_size >= 2, "at least 2: a pair is told from the others"),
            ("chunk", self.chunk, self.chunk is None or self.chunk >= 1, "at least 1"),
            ("lr", self.lr, self.lr is None or self.lr > 0, "above 0"),
            ("weight_decay", self.weight_decay, self.weight_decay >= 0, "0 or more"),
            ("warmup", self.warmup, 0 <= self.warmup < 1, "a share from 0 to below 1"),
            ("clip_norm", self.clip_norm, self.clip_norm > 0, "above 0"),
            ("ema", self.ema, self.ema is None or 0 < self.ema < 1, "between 0 and 1"),
            ("teacher_weight", self.teacher_weight, self.teacher_weight >= 0, "0 or more"),
        ):
            if not fine:
                raise UsageError(f"{name} is {value}; give {wanted}.")


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far a run is: `step` of `steps` are done, `loss` is that of the last one, `lr` its learning rate."""

    step: int
    steps: int
    epoch: int
    loss: float
    lr: float
    pairs_per_second: float


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a run did.

    Attributes:
        out: The model folder.
        pairs: Pictures that were trained on.
        validated: Pictures that were kept aside.
        unreadable: Pictures that could not be read; others took their places.
        steps: Steps of the whole training that are done, of `of`.
        resumed: The step this run went on from, 0 where it began.
        loss: Of the last step; None where there was none to make.
        recall: `text_to_image_r1`, ... `image_to_text_r10`, 0..1, of the model as written; empty without validation.
        seconds: Wall time of this run.
        interrupted: Whether it ended early; the same call goes on.
    """

    out: Path
    pairs: int
    validated: int
    unreadable: int
    steps: int
    of: int
    resumed: int
    loss: float | None
    recall: Mapping[str, float]
    seconds: float
    interrupted: bool
