"""A network made ready for one GPU: in which precision, compiled or not."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import torch
from torch.nn.functional import normalize

from clipsearch.models.forward import Normaliser, memory_format
from clipsearch.types import Preprocessing

_COMPILED = 64
"""Networks, batches and GPUs that one process may compile for."""

Embed = Callable[[torch.Tensor], torch.Tensor]
"""uint8 pixels [n, height, width, 3] on a device to float32 vectors [n, dim] of norm 1 there."""


@dataclass(frozen=True, slots=True)
class ImageNetwork:
    """A network with an image tower of any make.

    Attributes:
        network: in float32, on any device.
        features: the network and normalised pixels [n, 3, height, width] to features [n, dim] of any length.
        preprocessing: says the size of pixels, and how they are normalised.
        dim: length of a vector.
    """

    network: torch.nn.Module
    features: Callable[[Any, torch.Tensor], torch.Tensor]
    preprocessing: Preprocessing
    dim: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the pixels of one picture: height, width, 3."""
        return (self.preprocessing.height, self.preprocessing.width, 3)


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to run a network.

    Attributes:
        precision: `bfloat16` throughout; or `mixed`, torch's autocast, in which the sums between layers are float32.
        compiled: by `torch.compile`, which fuses what lies between matrix products.
        recorded: as a CUDA graph, which leaves nothing to do for the processor but to start it.
    """

    precision: Literal["bfloat16", "mixed"]
    compiled: bool
    recorded: bool

    def __str__(self) -> str:
        extras = [word for word, done in (("compiled", self.compiled), ("CUDA graph", self.recorded)) if done]
        return ", ".join([self.precision, *extras])


def embed_in(form: Form, images: ImageNetwork, device: torch.device) -> Embed:
    """A copy of the network on a device, in a form; recording is the lane's."""
    whole = form.precision == "bfloat16"
    network: Any = deepcopy(images.network).to(device).to(memory_format=memory_format(device))
    if whole:
        network = network.to(torch.bfloat16)
    normalised = Normaliser(images.preprocessing, device).normalised

    def embed(pixels: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=not whole):
            seen = normalised(pixels)
            features = images.features(network, seen.to(torch.bfloat16) if whole else seen)
        return normalize(features.float(), dim=-1)

    if not form.compiled:
        return embed
    # Shapes are fixed, so each is compiled for itself, as is each GPU: torch would go on uncompiled after the eighth.
    dynamo = torch._dynamo.config
    dynamo.cache_size_limit = max(dynamo.cache_size_limit, _COMPILED)  # torch 2.7 and later: recompile_limit
    return torch.compile(embed, dynamic=False)


def embed_exactly(images: ImageNetwork, device: torch.device) -> Embed:
    """The network itself in float32, which all forms are compared with."""
    normalised = Normaliser(images.preprocessing, device).normalised
    return lambda pixels: normalize(images.features(images.network, normalised(pixels)).float(), dim=-1)
