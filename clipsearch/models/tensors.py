"""Tensors of a file of weights that is no model: a head on top of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import ModelError


def read_tensors(path: Path) -> dict[str, NDArray[np.float64]]:
    """The tensors of a `.safetensors` file or of what `torch.save` wrote of a state dictionary, by name. No code in it
    is run.

    Raises:
        ModelError: it is not there, or no such file.
    """
    if not path.is_file():
        raise ModelError(f"{path} is not there; name a file of weights, .pth, .pt or .safetensors.")
    try:
        return _safetensors(path) if path.suffix == ".safetensors" else _torch(path)
    except Exception as error:  # torch, pickle and safetensors raise nearly anything
        raise ModelError(f"{path} holds no tensors by name; get the file again, or name another.") from error


def _safetensors(path: Path) -> dict[str, NDArray[np.float64]]:
    from safetensors.torch import load_file

    return {name: tensor.double().numpy() for name, tensor in load_file(path).items()}


def _torch(path: Path) -> dict[str, NDArray[np.float64]]:
    import torch

    found = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.double().numpy() for name, tensor in found.get("state_dict", found).items()}
