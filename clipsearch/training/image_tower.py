"""Picture features at other sizes than the model's own, for training that starts on small pictures."""

from __future__ import annotations

import torch
from open_clip.model import CLIP
from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional


def _resized_positions(table: Tensor, height: int, width: int) -> Tensor:
    """The (1 + rows * rows, dim) position table of an attention pool for a grid of `height` x `width`."""
    rows = round((len(table) - 1) ** 0.5)
    grid = table[1:].T.reshape(1, -1, rows, rows)
    grid = functional.interpolate(grid, (height, width), mode="bilinear", align_corners=False)
    return torch.cat([table[:1], grid[0].flatten(1).T])


def encode_image_any_size(model: CLIP, images: Tensor) -> Tensor:
    """`model.encode_image(images)`; a CLIP ResNet also takes (n, 3, h, w) of any multiples of 32.

    Its attention pool's positions are interpolated to the grid at hand, gradients included.
    """
    visual = model.visual
    if not isinstance(visual, ModifiedResNet):
        whole: Tensor = model.encode_image(images)
        return whole
    hidden = visual.stem(images)
    for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
        hidden = layer(hidden)
    table = visual.attnpool.positional_embedding
    if len(table) != 1 + hidden.shape[2] * hidden.shape[3]:
        table = _resized_positions(table, hidden.shape[2], hidden.shape[3])
    features: Tensor = functional_call(visual.attnpool, {"positional_embedding": table}, (hidden,))
    return features
