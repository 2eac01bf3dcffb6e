"""One training run spread over several processes of one machine.

On CPU two processes of one thread beat one process of two threads: they meet once per step
instead of at every layer.  In a run of one process every function here leaves things as they are.
"""

import torch
from torch import Tensor, distributed, nn


def gather_features(features: Tensor) -> Tensor:
    """Features (n, dim) of all processes as (processes * n, dim); gradients flow to this process's rows only."""
    if not distributed.is_initialized():
        return features
    parts = [torch.empty_like(features) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, features.detach().contiguous())
    parts[distributed.get_rank()] = features
    return torch.cat(parts)


def sum_gradients(model: nn.Module, logit_scale: nn.Parameter) -> None:
    """Add up the gradients of all processes: every process holds those of its own rows.

    The temperature enters every process's copy of the whole loss, so its gradient is averaged.
    """
    if not distributed.is_initialized():
        return
    if logit_scale.grad is not None:
        logit_scale.grad /= distributed.get_world_size()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(flat)
    for gradient, part in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def world_size() -> int:
    """Number of processes of the run."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def agree(value: float) -> float:
    """The first process's ``value``, in all processes."""
    if not distributed.is_initialized():
        return value
    shared = torch.tensor(value, dtype=torch.float64)
    distributed.broadcast(shared, 0)
    return float(shared)
