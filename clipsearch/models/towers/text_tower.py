"""The text tower of a CLIP model in NumPy: a transformer over a sentence's tokens (Radford et al. 2021, section 2.4).

A query is a few tokens, which takes milliseconds on any machine; what makes people wait is importing torch for it. The
weights are mapped from their file, so that of the vocabulary only the words asked for are ever read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipsearch.models.catalogue import Config
from clipsearch.models.tokenizer import Tokens
from clipsearch.models.towers.activations import gelu, gelu_tanh, layer_norm, quick_gelu, softmax
from clipsearch.models.towers.mapped import Tensors
from clipsearch.types import Vectors

Floats = NDArray[np.float32]

_AT_A_TIME = 32
"""Sentences: what lies between two layers then stays near the processor."""

# What else a `text_cfg` may say, it has to say of open_clip's plain tower.
_READ = {
    "context_length",
    "vocab_size",
    "width",
    "heads",
    "layers",
    "mlp_ratio",
    "no_causal_mask",
    "pool_type",
    "eos_id",
}
_READ |= {"act_kwargs", "norm_kwargs", "proj_bias"}
_WITHOUT_EFFECT = {"hf_tokenizer_name", "tokenizer_mode", "tokenizer_kwargs", "pad_id", "output_tokens"}


@dataclass(frozen=True, slots=True)
class TextShape:
    """What the weights do not say of a text tower.

    Attributes:
        heads: of attention.
        layers: how many there are.
        causal: whether a token sees only those before it.
        pool: which token's features are the sentence's: the `first`, the `last`, the one with the highest number
            (`argmax`), or the first that is `end` (`eos`).
        end: that token.
        activation: between the two halves of a layer's perceptron.
        epsilon: of layer normalisation.
    """

    heads: int
    layers: int
    causal: bool
    pool: str
    end: int
    activation: Callable[[Floats], Floats]
    epsilon: float


def text_shape(config: Config) -> TextShape | None:
    """The shape of the text tower of a `model_cfg` as open_clip writes it; None where it is not its plain one."""
    text = config["text_cfg"]
    if "multimodal_cfg" in config or not text.keys() <= _READ | _WITHOUT_EFFECT:
        return None
    act, norm = text.get("act_kwargs") or {}, text.get("norm_kwargs") or {}
    if not (act.keys() <= {"approximate"} and norm.keys() <= {"eps"}):
        return None
    smooth = gelu_tanh if act.get("approximate") == "tanh" else gelu
    return TextShape(
        heads=text.get("heads", 8),
        layers=text.get("layers", 12),
        causal=not text.get("no_causal_mask", False),
        pool=text.get("pool_type", "argmax"),
        end=text.get("eos_id", 2),
        activation=quick_gelu if config.get("quick_gelu") else smooth,
        epsilon=norm.get("eps", 1e-5),
    )


class TextTower:
    """Tokens to the features of their sentences.

    Args:
        shape: the tower's.
        tensors: weights under the names that open_clip gives them, for a network with the tower in it or for one
            that has it as `text`.

    Raises:
        KeyError: a weight is missing.
    """

    def __init__(self, shape: TextShape, tensors: Tensors) -> None:
        prefix = "text." if "text.token_embedding.weight" in tensors else ""
        own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        self._shape = shape
        self._words: NDArray[Any] = own["token_embedding.weight"]
        self._places = _float(own["positional_embedding"])
        self._layers = [_Layer(shape, own, f"transformer.resblocks.{number}.") for number in range(shape.layers)]
        self._norm = (_float(own["ln_final.weight"]), _float(own["ln_final.bias"]))
        if "text_projection.weight" in own:
            self._project = _float(own["text_projection.weight"]).T, _float(own["text_projection.bias"])
        else:
            self._project = _float(own["text_projection"]), np.zeros(1, np.float32)

    @property
    def dim(self) -> int:
        """Length of a feature vector."""
        return int(self._project[0].shape[1])

    def __call__(self, tokens: Tokens) -> Vectors:
        """Embed sentences, int64 [n, context_length]; returns float32 [n, dim] of norm 1.

        No token of a causal tower sees those after it, so what follows a sentence's own is left out; sentences of a
        length go together.
        """
        places = self._pooled_place(tokens)
        features = np.empty((len(tokens), self.dim), np.float32)
        order = np.argsort(places, kind="stable")
        for start in range(0, len(tokens), _AT_A_TIME):
            batch = order[start : start + _AT_A_TIME]
            seen = int(places[batch].max()) + 1 if self._shape.causal else tokens.shape[1]
            features[batch] = self._features(tokens[batch, :seen], places[batch])
        norms = np.linalg.norm(features, axis=1, keepdims=True)
        features /= np.maximum(norms, np.float32(1e-12))
        return features

    def _pooled_place(self, tokens: Tokens) -> NDArray[np.intp]:
        match self._shape.pool:
            case "argmax":
                places: NDArray[np.intp] = tokens.argmax(axis=1)
            case "eos":
                places = (tokens == self._shape.end).argmax(axis=1)
            case pool:
                places = np.full(len(tokens), tokens.shape[1] - 1 if pool == "last" else 0, np.intp)
        return places

    def _features(self, tokens: Tokens, places: NDArray[np.intp]) -> Floats:
        x = self._words[tokens].astype(np.float32, copy=False) + self._places[: tokens.shape[1]]
        for layer in self._layers:
            x = layer(x)
        pooled = layer_norm(x[np.arange(len(x)), places], *self._norm, self._shape.epsilon)
        matrix, bias = self._project
        return pooled @ matrix + bias


class _Layer:
    """One block of the transformer: attention, then a perceptron, each with what came in added (pre-norm)."""

    def __init__(self, shape: TextShape, own: Mapping[str, NDArray[Any]], prefix: str) -> None:
        def weights(name: str) -> tuple[Floats, Floats]:
            return _float(own[f"{prefix}{name}weight"]), _float(own[f"{prefix}{name}bias"])

        self._shape = shape
        self._norm_1, self._norm_2 = weights("ln_1."), weights("ln_2.")
        self._in, self._out = weights("attn.in_proj_"), weights("attn.out_proj.")
        self._up, self._down = weights("mlp.c_fc."), weights("mlp.c_proj.")

    def __call__(self, x: Floats) -> Floats:
        """[n, tokens, width] to the same."""
        x = x + self._attention(layer_norm(x, *self._norm_1, self._shape.epsilon))
        inner = self._shape.activation(_linear(layer_norm(x, *self._norm_2, self._shape.epsilon), self._up))
        return x + _linear(inner, self._down)

    def _attention(self, x: Floats) -> Floats:
        n, length, width = x.shape
        heads = self._shape.heads
        parts = _linear(x, self._in).reshape(n, length, 3, heads, width // heads)
        queries, keys, values = parts.transpose(2, 0, 3, 1, 4)
        scores = queries @ keys.swapaxes(-1, -2) * np.float32((width // heads) ** -0.5)
        if self._shape.causal:
            scores += np.triu(np.full((length, length), -np.inf, np.float32), 1)
        mixed = softmax(scores) @ values
        return _linear(mixed.swapaxes(1, 2).reshape(n, length, width), self._out)


def _linear(x: Floats, weights: tuple[Floats, Floats]) -> Floats:
    """x W^T + b over the last axis, as one product of matrices."""
    matrix, bias = weights
    product = x.reshape(-1, x.shape[-1]) @ matrix.T
    product += bias
    return product.reshape(*x.shape[:-1], -1)


def _float(tensor: NDArray[Any]) -> Floats:
    """In single precision; a mapped tensor that is so already stays mapped."""
    return tensor.astype(np.float32, copy=False).view(np.ndarray)
