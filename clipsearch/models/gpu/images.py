"""Pictures on CUDA GPUs: by torch as it is, and once there proved to be many, through lanes made for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Lock

import msgspec
import numpy as np
import torch

from clipsearch.models.gpu.choice import SMALLEST, Choice, choose, key_of, open_lane, release, remember, remembered
from clipsearch.models.gpu.forms import ImageNetwork
from clipsearch.models.gpu.lane import AT_ONCE, Lane, in_turn
from clipsearch.types import Pixels, Vectors

Tell = Callable[[str], None]

_PATIENCE = 15.0
"""Seconds of embedding before lanes are made, which takes about as long where a network is compiled. Whoever wants
fewer pictures never waits for it; whoever wants many loses no more than that again."""

_BYTES_A_CALL, _PICTURES_A_CALL = 2**28, 1024
"""A call has several batches for each GPU; a run keeps a few calls' pixels in memory, and a crash may lose one."""


def pictures_a_call(shape: Sequence[int]) -> int:
    """How many pictures of this shape suit one call of `GpuImages`: a power of two, as batches are."""
    fitting = max(min(_BYTES_A_CALL // int(np.prod(shape)), _PICTURES_A_CALL), AT_ONCE * SMALLEST)
    return 1 << (fitting.bit_length() - 1)


def on_all_gpus(
    images: ImageNetwork, plain: Callable[[Pixels], Vectors], fingerprint: str | None, tell: Tell = lambda what: None
) -> GpuImages:
    """`GpuImages` on every CUDA GPU that this process sees."""
    devices = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    return GpuImages(images, plain, devices, fingerprint, tell)


class GpuImages:
    """Embeds pictures on GPUs, batches dealt out in turn. May be called from several threads, one after the other.

    Args:
        images: the network, on the first of the GPUs.
        plain: embeds any number of pictures by torch as it is; for few of them, and where all else fails.
        devices: the GPUs.
        fingerprint: the model's, to remember under what was measured of it; None to measure anew.
        tell: hears of the measuring, which takes up to a minute, once for each model and kind of GPU.
    """

    def __init__(
        self,
        images: ImageNetwork,
        plain: Callable[[Pixels], Vectors],
        devices: Sequence[torch.device],
        fingerprint: str | None,
        tell: Tell = lambda what: None,
    ) -> None:
        self._images, self._plain, self._devices, self._tell = images, plain, devices, tell
        self._fingerprint = fingerprint
        self._largest = max(pictures_a_call(images.shape) // (AT_ONCE * len(devices)), SMALLEST)
        self._at_work = Lock()
        self._spent = 0.0
        self._lanes: list[Lane] = []
        self._prepared = False
        self.choice: Choice | None = None

    def __call__(self, pixels: Pixels) -> Vectors:
        """Embed uint8 pixels [n, height, width, 3]; returns float32 [n, dim] of norm 1.

        Raises:
            ModelError: not even one picture fits the memory.
        """
        if len(pixels) < SMALLEST:
            return self._plain(pixels)
        with self._at_work:
            return self._many(pixels)

    def _many(self, pixels: Pixels) -> Vectors:
        if not self._prepared and self._spent >= _PATIENCE:
            with suppress(Exception):  # lanes only make it quicker
                self.prepare()
        # A lane computes a whole batch, however few pictures it is given.
        while self._lanes and 2 * len(pixels) > self._lanes[0].batch:
            with suppress(torch.OutOfMemoryError):  # which holds on to the lanes for as long as it is dealt with
                return np.concatenate(list(in_turn(self._lanes, self._batches(pixels))))
            self._shrink()
        begun = time.perf_counter()
        vectors = self._plain(pixels)
        self._spent += time.perf_counter() - begun
        return vectors

    @property
    def lanes(self) -> Sequence[Lane]:
        """What is at work now, one for each GPU; none before there proved to be many pictures, or where that fails."""
        return self._lanes

    def prepare(self) -> None:
        """Make the lanes now, whatever was embedded so far: in the form that was chosen before, else measured."""
        self._prepared = True
        key = key_of(self._fingerprint, self._devices[0], self._largest) if self._fingerprint else None
        self.choice = remembered(key) if key else None
        if self.choice is not None:
            self._open()
        if not self._lanes:  # never measured, or what was chosen does not work any more
            self._tell("measuring the model on this GPU, once")
            self.choice = choose(self._images, self._devices[0], self._largest)
            if self.choice is not None and key:
                remember(key, self.choice)
            self._open()

    def _open(self) -> None:
        """Make a lane on each GPU, in smaller batches where the memory is too small; none where that fails."""
        self._lanes = []
        while self.choice is not None and self.choice.batch >= SMALLEST:
            form, batch = self.choice.form, self.choice.batch
            with suppress(torch.OutOfMemoryError):
                lanes = [open_lane(form, self._images, device, batch) for device in self._devices]
                whole = [lane for lane in lanes if lane is not None]
                self._lanes = whole if len(whole) == len(lanes) else []
                return
            self.choice = msgspec.structs.replace(self.choice, batch=batch // 2)
            release()

    def _shrink(self) -> None:
        """Go on with half the batch, since something took the memory."""
        for device in self._devices:
            torch.cuda.synchronize(device)
        self._lanes = []
        release()
        assert self.choice is not None
        self.choice = msgspec.structs.replace(self.choice, batch=self.choice.batch // 2)
        self._open()

    def _batches(self, pixels: Pixels) -> Iterator[Pixels]:
        size = self._lanes[0].batch
        for start in range(0, len(pixels), size):
            yield pixels[start : start + size]
