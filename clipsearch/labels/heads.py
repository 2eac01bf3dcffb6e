"""Heads: linear functions of a picture's vector that score it, such as LAION's aesthetic predictors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import ModelError
from clipsearch.types import StoredVectors, Vectors

_LAION_V2 = ("layers.0", "layers.2", "layers.4", "layers.6", "layers.7")
"""Layers of LAION's second aesthetic predictor (improved-aesthetic-predictor, `MLP` in simple_inference.py). Only
dropout stands between them, which does nothing once trained: all five are one linear function."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The score of a unit vector is `weights` [dim], float32, times it, plus `bias`."""

    weights: NDArray[np.float32]
    bias: float

    def scores(self, vectors: Vectors | StoredVectors) -> NDArray[np.float32]:
        """The scores of unit vectors [n, dim], float32 [n]."""
        return np.asarray(vectors.astype(np.float32) @ self.weights + np.float32(self.bias), np.float32)


def read_head(path: Path, dim: int) -> Head:
    """A head from a file: one linear layer, as LAION's first aesthetic predictors are (`weight` [1, dim] and `bias`
    [1], under any name), or the five layers of its second.

    Args:
        path: a `.pth`, `.pt` or `.safetensors` file.
        dim: of the vectors it is for.

    Raises:
        ModelError: it cannot be read, is something else, or is for vectors of another length.
    """
    from clipsearch.models.tensors import read_tensors

    tensors = read_tensors(path)
    stems = sorted(name.removesuffix("weight").rstrip(".") for name in tensors if name.endswith("weight"))
    if len(stems) != 1 and tuple(stems) != _LAION_V2:
        raise ModelError(
            f"{path} is no linear head: it has {len(stems)} layers; what is read is one with `weight` and `bias`, or "
            "the five of LAION's improved aesthetic predictor."
        )
    weights, bias = np.eye(dim), np.zeros(dim)
    for stem in stems:
        layer, shift = (tensors.get(f"{stem}.{part}" if stem else part) for part in ("weight", "bias"))
        if layer is None or layer.ndim != 2 or layer.shape[1] != len(weights):
            wants = "other shapes" if layer is None or layer.ndim != 2 else f"vectors of {layer.shape[1]} numbers"
            raise ModelError(f"The head in {path} wants {wants}, not of {dim}; take one made for the index's model.")
        weights, bias = layer @ weights, layer @ bias + (0 if shift is None else shift)
    if len(weights) != 1:
        raise ModelError(f"The head in {path} gives {len(weights)} numbers a picture; take one that gives one.")
    return Head(weights[0].astype(np.float32), float(bias[0]))


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How a head is kept; `kind` tells it from recipes of other computed columns."""

    kind: Literal["score"]
    weights: bytes
    bias: float


def to_recipe(head: Head) -> bytes:
    """A head as bytes, the weights as little-endian float32."""
    return msgspec.msgpack.encode(_Recipe("score", np.ascontiguousarray(head.weights, "<f4").tobytes(), head.bias))


def from_recipe(recipe: bytes) -> Head | None:
    """The head of a set of computed columns; None where they are no scores."""
    try:
        kept = msgspec.msgpack.decode(recipe, type=_Recipe)
    except (msgspec.DecodeError, UnicodeDecodeError):  # a ValidationError is one
        return None
    return Head(np.frombuffer(kept.weights, "<f4"), kept.bias)
