"""One training run spread over several processes, of one machine or many.

Each process encodes its part of the batch and computes the whole batch's loss. On CPU two processes of one thread beat
one process of two threads: they meet once per step instead of at every layer. In a run of one process every function
here leaves things as they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn


@contextmanager
def joined(device: torch.device) -> Iterator[torch.device]:
    """Be one of the processes that `torchrun` started, if it did; yields the device of this one."""
    if "RANK" not in os.environ or distributed.is_initialized():
        yield device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def gather_features(features: Tensor) -> Tensor:
    """Features (n, dim) of all processes as (processes * n, dim); gradients flow to this process's rows only."""
    if not distributed.is_initialized():
        return features
    parts = [torch.empty_like(features) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, features.detach().contiguous())
    parts[distributed.get_rank()] = features
    return torch.cat(parts)


def sum_gradients(modules: Sequence[nn.Module], shared: Sequence[Tensor]) -> None:
    """Add up the gradients of all processes: every process holds those of its own rows.

    The `shared` parameters, such as the temperature, enter every process's copy of the whole loss, so their gradients
    are averaged.
    """
    if not distributed.is_initialized():
        return
    for parameter in shared:
        if parameter.grad is not None:
            parameter.grad /= distributed.get_world_size()
    gradients = [p.grad for module in modules for p in module.parameters() if p.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(flat)
    for gradient, part in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def share_buffers(network: nn.Module) -> None:
    """Give every process the first one's statistics of batch normalisation, which each makes of its own rows."""
    if distributed.is_initialized():
        for buffer in network.buffers():
            distributed.broadcast(buffer, 0)


def world_size() -> int:
    """Number of processes of the run."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Number of this process, counted from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def gathered(facts: dict[str, str]) -> dict[str, str]:
    """The facts of all processes together."""
    if not distributed.is_initialized():
        return facts
    parts: list[dict[str, str]] = [{}] * distributed.get_world_size()
    distributed.all_gather_object(parts, facts)
    return {name: fact for part in parts for name, fact in part.items()}


def agree(value: float, device: torch.device | None = None) -> float:
    """The first process's `value`, in all processes."""
    if not distributed.is_initialized():
        return value
    shared = torch.tensor(value, dtype=torch.float64, device=device)
    distributed.broadcast(shared, 0)
    return float(shared)
