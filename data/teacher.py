"""The frozen MobileNetV2 that mini's image tower learns from."""

import sys
from pathlib import Path
from typing import Any

import openvino
import torch
from torch import Tensor, nn
from torch.nn import functional

SHALLOW = 6
"""Blocks up to an eighth of the picture's side; these look for edges, colours and textures."""


def published(folder: Path) -> Any:
    """The network as it was published."""
    sys.path.insert(0, str(folder))
    from mobilenet_v2 import MobileNetV2  # type: ignore[import-not-found]

    return MobileNetV2().eval().requires_grad_(False)


def load_teacher(folder: Path) -> Any:
    """The same with its zeros on both sides of a map: TensorFlow's way of padding is not that of timm's models."""
    teacher = published(folder)
    for layer in teacher.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size[0] > 1:
            layer.forward = _evenly_padded(layer)
    return teacher


def _evenly_padded(layer: Any) -> Any:
    def forward(x: Tensor) -> Tensor:
        y = functional.conv2d(x, layer.weight, layer.bias, layer.stride, 1, 1, layer.groups)
        return functional.relu6(y) if layer.activate else y

    return forward


def _maps(teacher: Any, x: Tensor, which: slice) -> list[Tensor]:
    """A map and what some blocks make of it, one after the other."""
    maps = [x]
    for block, residual in list(zip(teacher.blocks, teacher.residual, strict=True))[which]:
        found = block(maps[-1])
        maps.append(maps[-1] + found if residual else found)
    return maps


class Shallow(nn.Module):
    """The stem's map and that of each of the first blocks."""

    def __init__(self, teacher: Any) -> None:
        super().__init__()
        self.teacher = teacher

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Of (n, 3, side, side) in -1..1 seven maps, (n, channels, side', side')."""
        return _maps(self.teacher, self.teacher.stem(pixels), slice(SHALLOW))


class Deep(nn.Module):
    """The maps of the blocks after them, and of the head before its mean."""

    def __init__(self, teacher: Any) -> None:
        super().__init__()
        self.teacher = teacher

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Of the last shallow map (n, 32, side / 8, side / 8) twelve maps."""
        _, *maps = _maps(self.teacher, x, slice(SHALLOW, None))
        return *maps, self.teacher.head(maps[-1])


def compiled(model: nn.Module, shape: tuple[int, ...], **settings: Any) -> openvino.CompiledModel:
    """A network as it runs fastest on this processor, for inputs of one shape; -1 stands for any number."""
    example = torch.zeros([32 if number < 0 else number for number in shape])
    found = openvino.convert_model(model.eval(), example_input=example)
    found.reshape(shape)
    return openvino.Core().compile_model(found, "CPU", {"PERFORMANCE_HINT": "LATENCY", **settings})
