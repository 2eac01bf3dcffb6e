"""The contrastive loss of CLIP (Radford et al. 2021, "Learning Transferable Visual Models From
Natural Language Supervision", figure 3) and its learned temperature."""

import math

import torch
from torch import Tensor
from torch.nn import functional

START_TEMPERATURE = 0.07
MAX_SCALE = 100.0


def clip_loss(images: Tensor, texts: Tensor, log_scale: Tensor) -> Tensor:
    """Symmetric cross-entropy over the cosine similarities of a batch.

    ``images`` and ``texts`` are (batch, dim) features of matching rows, of any length: they are
    L2-normalised here.  ``log_scale`` is the scalar logarithm of the inverse temperature.  With
    s_ij = exp(log_scale) * cos(image_i, text_j), the loss is the mean of the cross-entropies of
    every row and of every column of s against its diagonal (figure 3).  Returns a scalar.
    """
    if images.shape != texts.shape or images.ndim != 2:
        raise ValueError(f"features of matching rows wanted, got {tuple(images.shape)} and {tuple(texts.shape)}")
    logits = log_scale.exp() * functional.normalize(images, dim=-1) @ functional.normalize(texts, dim=-1).T
    target = torch.arange(len(logits), device=logits.device)
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


@torch.no_grad()
def clamp_scale_(log_scale: Tensor) -> None:
    """Keep the inverse temperature in [1, 100] in place, as section 2.5 of the paper does for stability."""
    log_scale.clamp_(0.0, math.log(MAX_SCALE))
