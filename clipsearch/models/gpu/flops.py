"""What a network asks of a GPU, and what a GPU can give."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch.utils.flop_counter import FlopCounterMode

from clipsearch.models.gpu.forms import ImageNetwork

_PEAKS = {
    "H200": 989.5,
    "H200 NVL": 835.5,
    "GH200": 989.5,
    "H100": 989.5,
    "H100 NVL": 835.5,
    "H100 PCIe": 756.5,
    "A100": 312.0,
    "L40S": 362.0,
    "L4": 121.0,
    "A10": 125.0,
}
"""Dense bfloat16 TFLOP/s by words of the name a chip gives itself, of NVIDIA's data sheets "H200 Tensor Core GPU",
"GH200 Grace Hopper Superchip", "H100 Tensor Core GPU", "A100 Tensor Core GPU", "L40S", "L4" and "A10 Tensor Core GPU".
Where a sheet has the figure for sparse matrices, half of it."""


def peak_of(chip: str) -> float | None:
    """Dense bfloat16 TFLOP/s of a chip, by the name that torch gives it; None where the table has it not."""
    words = set(chip.replace("-", " ").split())
    known = [name for name in _PEAKS if words.issuperset(name.split())]
    return _PEAKS[max(known, key=len)] if known else None


def gigaflops(images: ImageNetwork) -> float:
    """Floating-point operations for one picture, in billions: two for each multiplication with addition.

    Counted by torch of matrix products, convolutions and attention, on a copy of the network without numbers.
    """
    network = deepcopy(images.network).to("meta")
    height, width, channels = images.shape
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        images.features(network, torch.zeros(1, channels, height, width, device="meta"))
    return float(counter.get_total_flops()) / 1e9
