"""Tensors of a `.safetensors` file, mapped: nothing is read before it is used, and processes share what was."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[Any]]
"""Arrays by name, read-only."""

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}


def map_tensors(path: Path) -> Tensors:
    """The tensors of a file, by name; those of a type that NumPy lacks (bfloat16) are left out.

    The safetensors library copies what it reads; of a text tower, a third is rows of a vocabulary nobody asks for.
    Format: https://huggingface.co/docs/safetensors (eight bytes of length, a JSON header, data).

    Raises:
        ValueError: it is no such file, or not all of one.
        OSError: it cannot be read.
    """
    data = np.memmap(path, np.uint8, "r")
    length = int(data[:8].view("<u8")[0])
    header = json.loads(bytes(data[8 : 8 + length]))
    header.pop("__metadata__", None)
    body = data[8 + length :]
    return {name: _view(body, entry) for name, entry in header.items() if entry["dtype"] in _TYPES}


def _view(body: NDArray[np.uint8], entry: Mapping[str, Any]) -> NDArray[Any]:
    kind, (start, end) = np.dtype(_TYPES[entry["dtype"]]), entry["data_offsets"]
    if end > len(body) or end - start != kind.itemsize * math.prod(entry["shape"]):
        raise ValueError("the file is not complete")
    # Where a header leaves its data between two multiples of four bytes, NumPy reads it all the same.
    return np.ndarray(entry["shape"], kind, body, start)
