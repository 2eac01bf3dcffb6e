"""One GPU at work: batches of one shape, the next copied to it while it computes the last."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from clipsearch.models.gpu.forms import Embed
from clipsearch.types import Pixels, Vectors

AT_ONCE = 2
"""Batches on their way through a GPU: one is computed, one is copied."""

_WARM_UPS = 3
"""Runs before one is recorded, as torch's documentation of CUDA graphs has it: the first choose kernels and memory."""


class _Slot:
    """Memory and marks for one batch on its way."""

    def __init__(self, on: Any, device: torch.device, pixels: tuple[int, ...], vectors: tuple[int, int]) -> None:
        pinned = device.type == "cuda"  # only from memory that stays where it is can a GPU copy by itself
        self.pixels = torch.zeros(pixels, dtype=torch.uint8, pin_memory=pinned)
        self.landed = torch.zeros(pixels, dtype=torch.uint8, device=device)
        self.vectors = torch.zeros(vectors, dtype=torch.float32, pin_memory=pinned)
        self.ready, self.done = on.Event(), _waiting_event(on)
        self.count = 0


class Lane:
    """Embeds batches of up to `batch` pictures on one device; smaller ones are filled up with what was there before.

    Args:
        embed: what to run, see `forms`.
        device: where it runs. On a CPU everything happens at once and in turn.
        batch: pictures.
        shape: of the pixels of one: height, width, 3.
        dim: length of a vector.
        recorded: whether to record a CUDA graph of it.

    Raises:
        torch.OutOfMemoryError: the device has not enough memory.
        Exception: whatever torch says where it cannot compile or record the network.
    """

    def __init__(
        self, embed: Embed, device: torch.device, batch: int, shape: tuple[int, int, int], dim: int, *, recorded: bool
    ) -> None:
        self.device, self.batch = device, batch
        self._embed = embed  # a recorded graph reads its weights where they are, and does not keep them
        self._on: Any = torch.cuda if device.type == "cuda" else torch.cpu
        with self._here():
            self._copying, self._computing = self._on.Stream(), self._on.Stream()
            self._pixels = torch.zeros((batch, *shape), dtype=torch.uint8, device=device)
            slots = [_Slot(self._on, device, (batch, *shape), (batch, dim)) for _ in range(AT_ONCE)]
            self._slots = deque(slots)
            self._on.synchronize()  # what was filled above was filled on another stream
            with self._on.stream(self._computing):
                self._run = _recorded(embed, self._pixels, self._computing) if recorded else self._plainly(embed)

    def start(self, pixels: Pixels) -> _Slot:
        """Begin to embed uint8 pixels [n, height, width, 3], n at most `batch`; returns at once.

        No more than `AT_ONCE` may be under way: `finish` the first before another is begun, or its vectors are lost.
        """
        slot = self._slots[0]
        self._slots.rotate(-1)
        slot.done.synchronize()  # where an interrupt left it to itself
        slot.count = len(pixels)
        slot.pixels.numpy()[: slot.count] = pixels
        with self._here():
            with self._on.stream(self._copying):
                slot.landed[: slot.count].copy_(slot.pixels[: slot.count], non_blocking=True)
                slot.ready.record(self._copying)
            with self._on.stream(self._computing):
                slot.ready.wait(self._computing)
                self._pixels.copy_(slot.landed)  # a recorded graph reads from one place
                slot.vectors.copy_(self._run(), non_blocking=True)
                slot.done.record(self._computing)
        return slot

    def finish(self, slot: _Slot) -> Vectors:
        """Wait for what `start` began; returns float32 [n, dim] of norm 1."""
        slot.done.synchronize()
        vectors: Vectors = slot.vectors.numpy()[: slot.count].copy()
        return vectors

    @contextmanager
    def _here(self) -> Iterator[None]:
        place = torch.cuda.device(self.device) if self.device.type == "cuda" else nullcontext()
        with place, torch.no_grad():
            yield

    def _plainly(self, embed: Embed) -> Callable[[], torch.Tensor]:
        embed(self._pixels)  # an error is better met now
        return lambda: embed(self._pixels)


def in_turn(lanes: Sequence[Lane], batches: Iterable[Pixels]) -> Iterator[Vectors]:
    """Deal batches out to lanes in turn; yields the vectors of each in the order of the batches."""
    under_way: deque[tuple[Lane, _Slot]] = deque()
    for number, batch in enumerate(batches):
        if len(under_way) == AT_ONCE * len(lanes):
            lane, slot = under_way.popleft()
            yield lane.finish(slot)
        lane = lanes[number % len(lanes)]
        under_way.append((lane, lane.start(batch)))
    for lane, slot in under_way:
        yield lane.finish(slot)


def _waiting_event(on: Any) -> Any:
    """An event whose waiter sleeps: one that spins takes a processor from those that decode pictures."""
    return on.Event(blocking=True) if on is torch.cuda else on.Event()


def _recorded(embed: Embed, pixels: torch.Tensor, stream: Any) -> Callable[[], torch.Tensor]:
    """A CUDA graph of `embed` over `pixels`, whose answers are always in the same place."""
    for _ in range(_WARM_UPS):
        embed(pixels)
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    # Other threads may go on using the GPU meanwhile, as those of a page do.
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        vectors = embed(pixels)

    def replay() -> torch.Tensor:
        graph.replay()
        return vectors

    return replay
