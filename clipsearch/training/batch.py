"""What a step is made on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures with their captions, as the towers read them.

    Attributes:
        images: (n, 3, height, width) float32.
        captions: (n, context) int64 tokens of each picture's first caption, second, ...; the loss is the mean over
            them.
        teacher: (n, teacher dim) float32, a row of NaN where the teacher has none; or None.
    """

    images: Tensor
    captions: tuple[Tensor, ...]
    teacher: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def chunks(self, size: int) -> list[Batch]:
        """The batch in parts of at most `size` pairs."""
        columns = [torch.split(column, size) for column in (self.images, *self.captions)]
        parts = zip(*columns, strict=True)
        return [Batch(images, tuple(captions)) for images, *captions in parts]

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        return replace(
            self,
            images=self.images.to(device, memory_format=torch.channels_last),
            captions=tuple(column.to(device) for column in self.captions),
            teacher=None if self.teacher is None else self.teacher.to(device),
        )
