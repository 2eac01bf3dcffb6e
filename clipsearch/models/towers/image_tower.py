"""The image tower of a model in ONNX Runtime, from pixels to unit vectors in one graph."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from clipsearch.errors import ModelError
from clipsearch.models.towers.engine import processors
from clipsearch.types import Pixels, Vectors

INPUT, OUTPUT = "pixels", "vectors"

_PART = 4
"""Pictures that one thread embeds at a time: what lies between two layers stays near the processor."""


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
    """Runs a file that `export` wrote. Safe to use from several threads.

    Of a few pictures all threads compute each layer together. Of many, each thread embeds a part by itself: none waits
    for the others after every layer, which matters most while other programs, or our decoders, want the processors too.

    Args:
        file: the graph.
        threads: to compute with; by default one for each processor.

    Raises:
        ModelError: the file is not there, or no such graph.
    """

    def __init__(self, file: Path, threads: int | None = None) -> None:
        self._file, self._threads = file, threads or processors()
        self._session = _session(file, self._threads)
        self._pool: ThreadPoolExecutor | None = None
        self._loading = Lock()
        self.dim = int(self._session.get_outputs()[0].shape[1])

    def __call__(self, pixels: Pixels) -> Vectors:
        """Embed uint8 pixels [n, height, width, 3]; returns float32 [n, dim] of norm 1."""
        if len(pixels) >= self._threads * _PART:
            self._set_apart()
        vectors = np.empty((len(pixels), self.dim), np.float32)
        session = self._session

        def embed(start: int) -> None:
            part = np.ascontiguousarray(pixels[start : start + _PART], np.uint8)
            vectors[start : start + len(part)] = session.run([OUTPUT], {INPUT: part})[0]

        list((self._pool.map if self._pool else map)(embed, range(0, len(pixels), _PART)))
        return vectors

    def _set_apart(self) -> None:
        """From now on each thread computes by itself. A process that embeds many pictures at once seldom waits for a
        single one, and keeps the weights once."""
        with self._loading:
            if self._pool is None and self._threads > 1:
                self._session = _session(self._file, 1)
                self._pool = ThreadPoolExecutor(self._threads, "image-tower")


def _session(file: Path, threads: int) -> Any:
    onnxruntime = onnx_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait by spinning take the time of those that decode the next pictures.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # a damaged file makes it raise nearly anything
        raise ModelError(f"{file} is no image tower: remove it, and it is made anew") from error
