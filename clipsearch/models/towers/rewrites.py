"""Layers of vision transformers as a graph runs them quickest: the same numbers, by other operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

Rewrite = Callable[[torch.nn.Module], torch.nn.Module | None]
"""A layer to the one that stands for it; None where it stays."""


@contextmanager
def rewritten(network: torch.nn.Module) -> Iterator[None]:
    """The layers of a network in other forms as long as the context lasts."""
    found = [
        (parent, name, child, other)
        for parent in network.modules()
        for name, child in parent.named_children()
        if (other := _patches(child) or _attention(child)) is not None
    ]
    for parent, name, _, other in found:
        setattr(parent, name, other)
    try:
        yield
    finally:
        for parent, name, child, _ in found:
            setattr(parent, name, child)


def _patches(layer: torch.nn.Module) -> torch.nn.Module | None:
    if not isinstance(layer, torch.nn.Conv2d):
        return None
    side = layer.kernel_size
    plain = layer.groups == 1 and layer.padding in ((0, 0), "valid") and layer.dilation == (1, 1)
    return _Patches(layer) if plain and side == layer.stride and side[0] == side[1] > 4 else None


class _Patches(torch.nn.Module):
    """A convolution whose patches touch and do not overlap, as a product of matrices: those can be in eight bits."""

    def __init__(self, convolution: torch.nn.Conv2d) -> None:
        super().__init__()
        self.side = convolution.kernel_size[0]
        self.product = _linear(convolution.weight.flatten(1), convolution.bias)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, channels, height, width) to (n, features, height / side, width / side)."""
        _, channels, height, width = pixels.shape
        rows, columns = height // self.side, width // self.side
        patches = pixels.view(-1, channels, rows, self.side, columns, self.side).permute(0, 2, 4, 1, 3, 5)
        found: torch.Tensor = self.product(patches.reshape(-1, rows * columns, self.product.in_features))
        return found.transpose(1, 2).reshape(-1, self.product.out_features, rows, columns)


def _attention(layer: torch.nn.Module) -> torch.nn.Module | None:
    if not isinstance(layer, torch.nn.MultiheadAttention):
        return None
    plain = layer.bias_k is None and not layer.add_zero_attn and layer.in_proj_weight is not None
    return _SelfAttention(layer) if plain and layer.batch_first else None


class _SelfAttention(torch.nn.Module):
    """`torch.nn.MultiheadAttention` of a sequence with itself, in half as many steps: no shape is computed, nothing is
    moved twice, and the scale is in the weights already."""

    def __init__(self, attention: torch.nn.MultiheadAttention) -> None:
        super().__init__()
        self.whole = attention
        self.heads, self.width = attention.num_heads, attention.embed_dim
        # Rows that make queries, keys and values, in this order.
        scales = torch.ones(3 * self.width)
        scales[: self.width] = (self.width // self.heads) ** -0.5
        bias = attention.in_proj_bias
        self.into = _linear(attention.in_proj_weight * scales[:, None], None if bias is None else bias * scales)

    def forward(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **how: Any
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """As of the layer it stands for, which does what is not a sequence with itself and without a mask."""
        with_itself = query is key is value
        if not with_itself or how.get("need_weights", True) or how.get("attn_mask") is not None:
            answer: tuple[torch.Tensor, torch.Tensor | None] = self.whole(query, key, value, **how)
            return answer
        length, each = int(query.shape[1]), self.width // self.heads
        queries, keys, values = (
            part.reshape(-1, length, self.heads, each) for part in self.into(query).split(self.width, dim=2)
        )
        shares = (queries.transpose(1, 2) @ keys.permute(0, 2, 3, 1)).softmax(-1)
        found = (shares @ values.transpose(1, 2)).transpose(1, 2).reshape(-1, length, self.width)
        return self.whole.out_proj(found), None


def _linear(weight: torch.Tensor, bias: torch.Tensor | None) -> torch.nn.Linear:
    """A layer that multiplies with a weight [out, in]."""
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer
