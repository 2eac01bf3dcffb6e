"""The image tower of a model in ONNX Runtime, from pixels to unit vectors in one graph."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from clipsearch.errors import ModelError
from clipsearch.models.towers.engine import processors
from clipsearch.types import Pixels, Vectors

INPUT, OUTPUT = "pixels", "vectors"

_AT_A_TIME = 32
"""Pictures: more are no quicker, and take memory for what lies between two layers."""


def onnx_runtime() -> Any:
    """The library, told to report to nobody.

    Its official builds tell Microsoft what machine and model they run, and keep a number for the machine in the user's
    cache; on Windows by a call that can be made too late, elsewhere unless one of these was set before (onnxruntime,
    docs/Privacy.md).
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = os.environ["ORT_TELEMETRY_DISABLED"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


class ImageTower:
    """Runs a file that `export` wrote. One thread at a time computes; the interpreter's lock is let go of meanwhile.

    Args:
        file: the graph.
        threads: to compute with; by default one for each processor.

    Raises:
        ModelError: the file is not there, or no such graph.
    """

    def __init__(self, file: Path, threads: int | None = None) -> None:
        onnxruntime = onnx_runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or processors()
        # Threads that wait by spinning take the time of those that decode the next pictures.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
            self.dim = int(self._session.get_outputs()[0].shape[1])
        except Exception as error:  # a damaged file makes it raise nearly anything
            raise ModelError(f"{file} is no image tower: remove it, and it is made anew") from error

    def __call__(self, pixels: Pixels) -> Vectors:
        """Embed uint8 pixels [n, height, width, 3]; returns float32 [n, dim] of norm 1."""
        vectors = np.empty((len(pixels), self.dim), np.float32)
        for start in range(0, len(pixels), _AT_A_TIME):
            batch = np.ascontiguousarray(pixels[start : start + _AT_A_TIME], np.uint8)
            vectors[start : start + len(batch)] = self._session.run([OUTPUT], {INPUT: batch})[0]
        return vectors
