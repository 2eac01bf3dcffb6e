"""Text features without the cost of padding."""

import torch
from open_clip.model import CLIP
from torch import Tensor

_GROUPS = 4


def _encode(model: CLIP, tokens: Tensor, ends: Tensor) -> Tensor:
    length = int(ends.max()) + 1
    hidden = model.token_embedding(tokens[:, :length]) + model.positional_embedding[:length]
    hidden = model.transformer(hidden, attn_mask=model.attn_mask[:length, :length])
    features: Tensor = model.ln_final(hidden)[torch.arange(len(tokens)), ends] @ model.text_projection
    return features


def encode_text_trimmed(model: CLIP, tokens: Tensor) -> Tensor:
    """``model.encode_text(tokens)``, in groups of similar length, each without its common padding.

    ``tokens`` is (batch, context) int64, zero-padded after the end token, which has the highest
    id.  The causal mask keeps what follows the end token from reaching it, so the result
    (batch, dim) is the same.
    """
    ends = tokens.argmax(dim=-1)
    order = ends.argsort(stable=True)
    parts = [_encode(model, tokens[rows], ends[rows]) for rows in order.tensor_split(_GROUPS) if len(rows)]
    return torch.cat(parts)[order.argsort()]
