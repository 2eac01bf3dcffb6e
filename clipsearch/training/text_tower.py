"""Text features, without the cost of padding where the tower allows it."""

from __future__ import annotations

from typing import Any

import torch
from open_clip.model import CLIP
from torch import Tensor

_GROUPS = 4


def encode_text(network: Any, tokens: Tensor) -> Tensor:
    """`network.encode_text(tokens)` of any open_clip model, trimmed where that changes nothing."""
    trims = isinstance(network, CLIP) and network.text_pool_type == "argmax" and network.attn_mask is not None
    features: Tensor = encode_text_trimmed(network, tokens) if trims else network.encode_text(tokens)
    return features


def encode_text_trimmed(model: CLIP, tokens: Tensor) -> Tensor:
    """`model.encode_text(tokens)` of a plain CLIP, in groups of similar length, each without its common padding.

    `tokens` is (batch, context) int64, zero-padded after the end token, which has the highest id. The causal mask keeps
    what follows the end token from reaching it, so the result (batch, dim) is the same.
    """
    ends = tokens.argmax(dim=-1)
    order = ends.argsort(stable=True)
    parts = [_encode(model, tokens[rows], ends[rows]) for rows in order.tensor_split(_GROUPS) if len(rows)]
    return torch.cat(parts)[order.argsort()]


def _encode(model: CLIP, tokens: Tensor, ends: Tensor) -> Tensor:
    length = int(ends.max()) + 1
    hidden = model.token_embedding(tokens[:, :length]) + model.positional_embedding[:length]
    hidden = model.transformer(hidden, attn_mask=model.attn_mask[:length, :length])
    features: Tensor = model.ln_final(hidden)[torch.arange(len(tokens), device=tokens.device), ends]
    return _projected(model, features)


def _projected(model: CLIP, features: Tensor) -> Tensor:
    projection = model.text_projection
    if projection is None:
        return features
    projected: Tensor = projection(features) if isinstance(projection, torch.nn.Linear) else features @ projection
    return projected
