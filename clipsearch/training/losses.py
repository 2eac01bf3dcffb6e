"""The contrastive losses: CLIP's (Radford et al. 2021, "Learning Transferable Visual Models From Natural Language
Supervision", figure 3) and SigLIP's (Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training", algorithm 1).

Features are (batch, dim) of matching rows and of any length: both losses go by cosines. `log_scale` is the scalar
logarithm of the inverse temperature, `bias` a scalar.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

START_TEMPERATURE = 0.07
MAX_SCALE = 100.0
SIGLIP_START_SCALE = 10.0
SIGLIP_START_BIAS = -10.0


def symmetric_cross_entropy(logits: Tensor) -> Tensor:
    """The mean of the cross-entropies of every row and of every column of (batch, batch) logits against its diagonal
    (figure 3); a scalar."""
    target = torch.arange(len(logits), device=logits.device)
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


def clip_loss(images: Tensor, texts: Tensor, log_scale: Tensor) -> Tensor:
    """CLIP's loss: `symmetric_cross_entropy` of exp(log_scale) * cos(image_i, text_j); a scalar."""
    return symmetric_cross_entropy(log_scale.exp() * _cosines(images, texts))


def siglip_loss(images: Tensor, texts: Tensor, log_scale: Tensor, bias: Tensor) -> Tensor:
    """SigLIP's loss: each pair for itself is classified as matching or not.

    With z_ij = exp(log_scale) * cos(image_i, text_j) + bias and y_ij = 1 on the diagonal, -1 off it, the sum of
    -log sigmoid(y_ij z_ij) over all pairs, divided by the batch's size (algorithm 1); a scalar.
    """
    logits = log_scale.exp() * _cosines(images, texts) + bias
    signs = 2 * torch.eye(len(logits), device=logits.device, dtype=logits.dtype) - 1
    return -functional.logsigmoid(signs * logits).sum() / len(logits)


@torch.no_grad()
def clamp_scale_(log_scale: Tensor) -> None:
    """Keep the inverse temperature in [1, 100] in place, as section 2.5 of CLIP's paper does for stability."""
    log_scale.clamp_(0.0, math.log(MAX_SCALE))


def _cosines(images: Tensor, texts: Tensor) -> Tensor:
    if images.shape != texts.shape or images.ndim != 2:
        raise ValueError(f"features of matching rows wanted, got {tuple(images.shape)} and {tuple(texts.shape)}")
    return functional.normalize(images, dim=-1) @ functional.normalize(texts, dim=-1).T
