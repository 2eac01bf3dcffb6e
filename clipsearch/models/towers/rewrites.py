"""Layers of vision transformers as a graph runs them quickest: the same numbers, by other operations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.onnx import (  # type: ignore[attr-defined]
    register_custom_op_symbolic,
    symbolic_helper,
    symbolic_opset9,
    unregister_custom_op_symbolic,
)

_TIMM = ("timm.layers.attention", "timm.models.vision_transformer")
"""Where timm has had its `Attention` of a sequence; other places have others of that name."""

OPSET = 17
"""The first with layer normalisation in one operator (ONNX 1.12)."""


@contextmanager
def rewritten(network: torch.nn.Module) -> Iterator[None]:
    """The layers of a network in other forms as long as the context lasts."""
    found = [
        (parent, name, child, other)
        for parent in network.modules()
        for name, child in parent.named_children()
        if (other := _patches(child) or _attention(child) or _timm_attention(child)) is not None
    ]
    for parent, name, _, other in found:
        setattr(parent, name, other)
    try:
        yield
    finally:
        for parent, name, child, _ in found:
            setattr(parent, name, child)


@contextmanager
def gelu_in_one() -> Iterator[None]:
    """GELU by its approximation with a hyperbolic tangent, as SigLIP has it, exported as one operator of ONNX Runtime's
    own instead of eight of ONNX's."""
    register_custom_op_symbolic("aten::gelu", _gelu, OPSET)
    try:
        yield
    finally:
        unregister_custom_op_symbolic("aten::gelu", OPSET)


@symbolic_helper.parse_args("v", "s")
def _gelu(graph: Any, values: Any, approximate: str) -> Any:
    if approximate == "none":
        return symbolic_opset9.gelu(graph, values, approximate)
    return graph.op("com.microsoft::FastGelu", values).setType(values.type())


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
    """`torch.nn.MultiheadAttention` of a sequence with itself."""

    def __init__(self, attention: torch.nn.MultiheadAttention) -> None:
        super().__init__()
        self.whole = attention
        weight, bias = attention.in_proj_weight, attention.in_proj_bias
        self.heads = _Heads(weight, bias, attention.out_proj, attention.num_heads)

    def forward(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **how: Any
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """As of the layer it stands for, which does what is not a sequence with itself and without a mask."""
        with_itself = query is key is value
        masked = how.get("attn_mask") is not None or how.get("key_padding_mask") is not None
        if not with_itself or masked or how.get("need_weights", True):
            answer: tuple[torch.Tensor, torch.Tensor | None] = self.whole(query, key, value, **how)
            return answer
        return self.heads(query), None


def _timm_attention(layer: Any) -> torch.nn.Module | None:
    """timm's `Attention`, as SigLIP uses it."""
    kind = type(layer)
    if kind.__name__ != "Attention" or kind.__module__ not in _TIMM:
        return None
    between = [getattr(layer, name, None) for name in ("q_norm", "k_norm", "norm")]
    plain = all(one is None or isinstance(one, torch.nn.Identity) for one in between)
    return _TimmAttention(layer) if plain and getattr(layer, "gate", None) is None else None


class _TimmAttention(torch.nn.Module):
    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.whole = attention
        qkv = attention.qkv
        self.heads = _Heads(qkv.weight, qkv.bias, attention.proj, attention.num_heads)

    def forward(self, x: torch.Tensor, attn_mask: torch.Tensor | None = None, **how: Any) -> torch.Tensor:
        """As of the layer it stands for, which does what has a mask."""
        if attn_mask is not None or any(how.values()):
            masked: torch.Tensor = self.whole(x, attn_mask, **how)
            return masked
        found: torch.Tensor = self.heads(x)
        return found


class _Heads(torch.nn.Module):
    """Attention of a sequence with itself in half as many steps as libraries write down: no shape is computed, nothing
    is moved twice, and the scale is in the weights already.

    Args:
        weight: [3 x width, in], for queries, keys and values.
        bias: [3 x width], or None.
        out: what the heads' answers go through.
        count: heads, each of the same share of the width.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, out: torch.nn.Module, count: int) -> None:
        super().__init__()
        self.count, self.width, self.out = count, len(weight) // 3, out
        scales = torch.ones(len(weight))
        scales[: self.width] = (self.width // count) ** -0.5
        self.into = _linear(weight * scales[:, None], None if bias is None else bias * scales)

    def forward(self, sequence: torch.Tensor) -> torch.Tensor:
        """(n, length, in) to (n, length, out)."""
        length, each = int(sequence.shape[1]), self.width // self.count
        queries, keys, values = (
            part.reshape(-1, length, self.count, each) for part in self.into(sequence).split(self.width, dim=2)
        )
        shares = (queries.transpose(1, 2) @ keys.permute(0, 2, 3, 1)).softmax(-1)
        found = (shares @ values.transpose(1, 2)).transpose(1, 2).reshape(-1, length, self.width)
        answer: torch.Tensor = self.out(found)
        return answer


def _linear(weight: torch.Tensor, bias: torch.Tensor | None) -> torch.nn.Linear:
    """A layer that multiplies with a weight [out, in]."""
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    layer = layer.to_empty(device="cpu")  # without numbers drawn that are overwritten
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer
