"""The engines that run an image tower, and which of them can."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Literal, get_args

from clipsearch.errors import UsageError

Engine = Literal["auto", "torch", "onnx"]
"""What runs a model: torch, ONNX Runtime (on a CPU only), or on a CPU the quicker of the two."""

_SIGNS_OF_A_GPU = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


def require_engine(engine: str, device: str) -> Engine:
    """The engine of this name.

    Raises:
        UsageError: there is none, or it does not run on the device.
    """
    for known in get_args(Engine):
        if engine == known:
            if engine == "onnx" and device in ("cuda", "mps"):
                raise UsageError(f"The engine onnx runs on the CPU: leave out --device {device}, or --engine onnx.")
            return known  # type: ignore[no-any-return]
    raise UsageError(f"There is no engine {engine!r}: choose {', '.join(get_args(Engine)[:-1])} or onnx.")


def wants_torch(engine: Engine, device: str) -> bool:
    """Whether a model is for torch alone: it was asked for, or there is a GPU to run on."""
    if engine == "torch" or device not in ("auto", "cpu"):
        return True
    return engine == "auto" and device == "auto" and _has_gpu()


def _has_gpu() -> bool:
    """Whether torch finds a GPU; it is asked, which takes seconds, only where there may be one."""
    if not _may_have_gpu():
        return False
    from clipsearch.models.forward import pick_device

    return pick_device("auto").type != "cpu"


def _may_have_gpu() -> bool:
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    if sys.platform == "win32":
        return Path(os.environ.get("SYSTEMROOT", "C:/Windows"), "System32", "nvcuda.dll").exists()
    return any(Path(sign).exists() for sign in _SIGNS_OF_A_GPU)


def processor_can(*flags: str) -> bool:
    """Whether the processor has one of these instructions, as Linux calls them; False where it does not tell."""
    try:
        listed = Path("/proc/cpuinfo").read_text("utf-8", "replace").split()
    except OSError:
        return False
    return not set(flags).isdisjoint(listed)


def processors() -> int:
    """How many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
