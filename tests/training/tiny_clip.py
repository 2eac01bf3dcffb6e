"""Small networks and batches for tests of the training."""

from __future__ import annotations

from typing import Any

import torch
from open_clip.model import CLIP

from clipsearch.training.batch import Batch

RESNET: dict[str, Any] = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 64}
VIT: dict[str, Any] = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
END = 49


def tiny_clip(vision: dict[str, Any] = VIT) -> CLIP:
    torch.manual_seed(0)
    text = {"context_length": 12, "vocab_size": 50, "width": 16, "heads": 2, "layers": 2}
    return CLIP(embed_dim=16, vision_cfg=vision, text_cfg=text)


def tiny_tokens(lengths: list[int]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.zeros(len(lengths), 12, dtype=torch.long)
    for row, length in enumerate(lengths):
        tokens[row, :length] = torch.randint(1, 48, (length,), generator=generator)
        tokens[row, length] = END
    return tokens


def tiny_batch(size: int = 8, side: int = 32, columns: int = 1, teacher: int | None = None) -> Batch:
    generator = torch.Generator().manual_seed(2)
    captions = tuple(tiny_tokens([1 + (row + column) % 9 for row in range(size)]) for column in range(columns))
    vectors = None if teacher is None else torch.randn(size, teacher, generator=generator)
    return Batch(torch.rand(size, 3, side, side, generator=generator), captions, vectors)
