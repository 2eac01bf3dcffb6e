"""How an image tower runs on this machine: found out once, then remembered."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from clipsearch.models.towers.engine import processors
from clipsearch.models.towers.image_tower import ImageTower
from clipsearch.models.towers.samples import pattern
from clipsearch.types import Preprocessing

FAITHFUL = 0.999
"""Least cosine to single precision, of the worst sample, that a form of a tower must reach to be used."""

_SCHEME = 3
"""Raise it when exported graphs become others."""


class ImageChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was measured of an image tower.

    Attributes:
        engine: what is quickest here.
        precision: of the graph that was kept; None where no graph was true to single precision.
        bfloat16: whether that is what torch is quickest in.
        cosine: of its worst sample to torch in single precision.
        rates: pictures a second, by engine and precision.
        pattern: what the graph makes of `samples.pattern`, to tell whether it still is what it was.
    """

    engine: Literal["torch", "onnx"]
    precision: Literal["int8", "float32"] | None
    cosine: float
    rates: Mapping[str, float]
    pattern: list[float]
    bfloat16: bool = False

    @property
    def summary(self) -> str:
        """In words for people."""
        rates = ", ".join(f"{name} {rate:.0f}" for name, rate in sorted(self.rates.items(), key=lambda one: -one[1]))
        by_torch = "torch, bfloat16" if self.bfloat16 else "torch, float32"
        used = by_torch if self.engine == "torch" else f"onnx, {self.precision}"
        return f"{used} (pictures a second: {rates})"


@lru_cache(maxsize=1)
def machine_key() -> str:
    """A short name for this machine and this version of ONNX Runtime: what was measured elsewhere does not count."""
    facts = (platform.machine(), processor_name(), str(processors()), importlib.metadata.version("onnxruntime"))
    return blake2b("\n".join((str(_SCHEME), *facts)).encode(), digest_size=6).hexdigest()


@lru_cache(maxsize=1)
def processor_name() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def choice_file(folder: Path) -> Path:
    """Where what was measured on this machine is kept."""
    return folder / f"{machine_key()}.json"


def graph_file(folder: Path) -> Path:
    """Where the graph that was chosen on this machine is kept."""
    return folder / f"{machine_key()}.onnx"


def read_choice(folder: Path) -> ImageChoice | None:
    """What was measured on this machine; None where nothing was, or nothing sound is left of it."""
    try:
        return msgspec.json.decode(choice_file(folder).read_bytes(), type=ImageChoice)
    except (OSError, msgspec.DecodeError):
        return None


def open_graph(
    folder: Path, choice: ImageChoice, preprocessing: Preprocessing, threads: int | None
) -> ImageTower | None:
    """The graph that was chosen; None where it is gone or damaged."""
    try:
        tower = ImageTower(graph_file(folder), threads)
        found = tower(pattern(preprocessing)[None])[0]
    except Exception:  # ModelError, or whatever a graph that was damaged makes of a picture
        return None
    return tower if float(np.dot(found, np.array(choice.pattern, np.float32))) >= FAITHFUL else None
