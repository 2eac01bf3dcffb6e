"""The gradients of a loss over a whole batch, with memory for the whole batch or for a part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from clipsearch.training.batch import Batch

Encode = Callable[[Batch], list[Tensor]]
"""A batch to float32 (n, dim) features: of its pictures, then of each column of captions."""

Objective = Callable[[list[Tensor]], Tensor]
"""Those features to a scalar loss."""


def backward(network: nn.Module, encode: Encode, objective: Objective, batch: Batch, chunk: int | None) -> Tensor:
    """Add the gradients of `objective(encode(batch))` to the parameters, and return the loss.

    With a `chunk` smaller than the batch no more than so many pairs go through the towers at a time, and still each is
    told from all others (GradCache: Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited
    Setup", section 3): features first without a graph, the loss's gradients at the features, then each chunk again
    with a graph to carry them on. The gradients are those of the whole batch, except that batch normalisation sees a
    chunk at a time.
    """
    if chunk is None or chunk >= len(batch):
        loss = objective(encode(batch))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()
    chunks, seed = batch.chunks(chunk), int(torch.randint(2**62, ()))
    with torch.no_grad(), _buffers_kept(network):
        parts = [_seeded(encode, part, seed + number) for number, part in enumerate(chunks)]
    features = [torch.cat(column).requires_grad_() for column in zip(*parts, strict=True)]
    loss = objective(features)
    loss.backward()  # type: ignore[no-untyped-call]
    slopes = [torch.split(torch.zeros_like(f) if f.grad is None else f.grad, chunk) for f in features]
    for number, part in enumerate(chunks):
        _carry_on(_seeded(encode, part, seed + number), [column[number] for column in slopes])
    return loss.detach()


def _carry_on(features: list[Tensor], slopes: list[Tensor]) -> None:
    """Backward through the towers; a locked one has no graph."""
    learning = [(f, slope) for f, slope in zip(features, slopes, strict=True) if f.requires_grad]
    torch.autograd.backward([f for f, _ in learning], [slope for _, slope in learning])


def _seeded(encode: Encode, batch: Batch, seed: int) -> list[Tensor]:
    """Both passes must drop out the same."""
    torch.manual_seed(seed)
    return encode(batch)


@contextmanager
def _buffers_kept(network: nn.Module) -> Iterator[None]:
    """Running statistics of batch normalisation must not count a batch twice."""
    before = [(buffer, buffer.clone()) for buffer in network.buffers()]
    yield
    for buffer, value in before:
        buffer.copy_(value)
