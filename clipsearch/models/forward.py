"""What every torch encoder needs: a device, pixels as its network reads them, and batches that fit its memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn.functional import normalize

from clipsearch.errors import ModelError
from clipsearch.types import Pixels, Preprocessing, Vectors

Tower = Callable[[Any], torch.Tensor]
"""A batch of inputs to its features, float [n, dim], of any length."""

# A GPU wants many pictures at once; on a CPU more than this gains nothing and a crash would lose more.
BATCH = {"cuda": 256, "mps": 64, "cpu": 64}

_LARGEST_BATCH = 512


def pick_device(wanted: str) -> torch.device:
    """Return the torch device for `auto`, `cuda`, `mps` or `cpu`; raises ModelError if this machine has it not."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    usable = [name for name, there in present.items() if there]
    if wanted == "auto":
        return torch.device(usable[0])
    if wanted not in usable:
        raise ModelError(f"torch finds no device {wanted!r} on this machine: pass {', '.join(usable)} or auto")
    return torch.device(wanted)


def memory_format(device: torch.device) -> torch.memory_format:
    """Convolutions run about twice as fast with channels last, on a CPU too; MPS gains nothing."""
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


class Normaliser:
    """uint8 pixels [n, height, width, 3] to the float32 [n, 3, height, width] that a network reads."""

    def __init__(self, preprocessing: Preprocessing, device: torch.device) -> None:
        self._device = device
        self._layout = memory_format(device)
        self._mean = self._channels(preprocessing.mean)
        self._std = self._channels(preprocessing.std)

    def __call__(self, pixels: Pixels) -> torch.Tensor:
        """Scale to 0..1, subtract the mean, divide by the standard deviation, channel by channel."""
        # torch wants memory it may write to, which a memory-mapped array is not.
        return self.normalised(torch.from_numpy(np.require(pixels, np.uint8, ["C", "W"])).to(self._device))

    def normalised(self, pixels: torch.Tensor) -> torch.Tensor:
        """The same for pixels that are on the device already."""
        batch = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=self._layout)
        return batch.div_(255).sub_(self._mean).div_(self._std)

    def _channels(self, values: tuple[float, float, float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self._device).view(3, 1, 1)


class Forward:
    """Runs a tower over any number of inputs: bfloat16 on CUDA, else float32; vectors are normalised in float32.

    When the memory of a CUDA GPU runs out, batches are halved from then on. `name` is the model's, for the error.
    """

    def __init__(self, name: str, dim: int, device: torch.device) -> None:
        self._name, self._dim, self._device = name, dim, device
        self._largest_batch = _LARGEST_BATCH

    def __call__(self, tower: Tower, inputs: Any) -> Vectors:
        """Embed inputs, any sequence or array that `tower` takes slices of; returns float32 [n, dim] of norm 1.

        Raises ModelError if not even one input fits the memory.
        """
        vectors = np.empty((len(inputs), self._dim), np.float32)
        start = 0
        while start < len(inputs):
            batch = inputs[start : start + self._largest_batch]
            try:
                vectors[start : start + len(batch)] = self._once(tower, batch)
                start += len(batch)
            except torch.OutOfMemoryError as error:
                if len(batch) == 1:
                    raise ModelError(
                        f"{self._device.type} has not enough free memory for {self._name}: close what else uses it, "
                        "take a smaller model, or pass `--device cpu`"
                    ) from error
                self._largest_batch = len(batch) // 2
        return vectors

    @torch.inference_mode()
    def _once(self, tower: Tower, batch: Any) -> Vectors:
        with torch.autocast("cuda", torch.bfloat16, enabled=self._device.type == "cuda"):
            features = tower(batch)
        vectors: Vectors = normalize(features.float(), dim=-1).cpu().numpy()
        return vectors
