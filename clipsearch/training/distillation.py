"""Learning from a teacher's vectors of the same pictures."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def distillation_loss(images: Tensor, teacher: Tensor, head: nn.Module | None = None) -> Tensor:
    """How far picture features are from a teacher's, and their similarities from its; a scalar, 0 where both agree.

    The mean of 1 - cos(head(image_i), teacher_i), plus the mean squared difference of the two (n, n) matrices of
    cosines among pictures: what resembles what, which asks for no common space (similarity-preserving distillation,
    Tung & Mori 2019, on cosines instead of their row-normalised products).

    Args:
        images: (n, dim) features of any length.
        teacher: (n, teacher dim) of any length; a row with NaN is a picture that the teacher has not seen, and is
            left out.
        head: Takes dim to teacher dim; None where they are one space.
    """
    known = ~teacher.isnan().any(dim=1)
    if not known.any():
        return images.sum() * 0.0
    images, taught = images[known], functional.normalize(teacher[known], dim=-1)
    shown = functional.normalize(head(images) if head else images, dim=-1)
    unit = functional.normalize(images, dim=-1)
    apart = 1 - (shown * taught).sum(dim=-1).mean()
    return apart + functional.mse_loss(unit @ unit.T, taught @ taught.T)


def make_head(dim: int, teacher_dim: int) -> nn.Linear | None:
    """What takes the model's features into the teacher's space while it trains; None where both have one length: then
    the model learns to live in the teacher's space itself."""
    if dim == teacher_dim:
        return None
    head = nn.Linear(dim, teacher_dim, bias=False)
    torch.nn.init.orthogonal_(head.weight)
    return head
