"""Finds out how an image tower runs best on this machine: exports it, in one precision and another, and measures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import msgspec
import numpy as np
from filelock import FileLock

from clipsearch.models.openclip import OpenClipEncoder
from clipsearch.models.towers import facts
from clipsearch.models.towers.engine import processor_can
from clipsearch.models.towers.export import LARGEST, bytes_of_images, export_images
from clipsearch.models.towers.image_choice import FAITHFUL, ImageChoice, choice_file, graph_file, read_choice
from clipsearch.models.towers.image_tower import ImageTower
from clipsearch.models.towers.quantized import has_products, is_quicker_for_certain, quantize
from clipsearch.models.towers.samples import sample_pixels, worst_cosine
from clipsearch.types import Pixels, Vectors

_SECONDS = 0.7
"""To measure each of two to four forms for."""

_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")
"""Flags of processors that are quicker in it; elsewhere it is emulated."""

Encode = Callable[[Pixels], Vectors]
TorchRates = dict[str, float]
"""Pictures a second with torch, by the name that `ImageChoice.rates` has for it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A graph that was measured. `cosine` is that of its worst sample, `vector` what it makes of the last."""

    precision: Literal["int8", "float32"]
    file: Path
    cosine: float
    rate: float
    vector: Vectors


@dataclass(frozen=True, slots=True)
class ByTorch:
    """What torch was needed for: the vectors `wanted` of sample `pixels`, its own `rates`, and the graph in single
    precision; None where it cannot be written."""

    pixels: Pixels
    wanted: Vectors
    rates: TorchRates
    graph: Path | None


def select(
    load: Callable[[], OpenClipEncoder], folder: Path, threads: int | None, tell: Callable[[str], None]
) -> ImageChoice:
    """Export the image tower of a model into `folder`, choose a form, and remember which.

    Of two processes one does it, and the other takes over what was chosen. `load` brings the model, which is let go of
    before its graph is loaded: one of them at a time is in memory. `tell` hears what is being done.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        known = read_choice(folder)
        if known is not None and (known.precision is None or graph_file(folder).is_file()):
            return known
        with TemporaryDirectory(prefix="new-", dir=folder) as place:
            tell("preparing the model for this machine, once")
            exported = _exported(load(), Path(place) / "float32.onnx")
            return _selected(folder, exported.rates, _candidates(exported, threads))


def forget(folder: Path) -> None:
    """Forget what was chosen, since the graph turned out to be damaged."""
    choice_file(folder).unlink(missing_ok=True)
    graph_file(folder).unlink(missing_ok=True)


def _selected(folder: Path, torch_rates: TorchRates, candidates: list[Candidate]) -> ImageChoice:
    by_torch = max(torch_rates, key=lambda name: torch_rates[name])
    torch_rate, bfloat16 = torch_rates[by_torch], by_torch == "torch bfloat16"
    rates = {f"onnx {one.precision}": one.rate for one in candidates} | torch_rates
    best = max((one for one in candidates if one.cosine >= FAITHFUL), key=lambda one: one.rate, default=None)
    if best is None:
        choice = ImageChoice("torch", None, 1.0, rates, [], bfloat16)
    else:
        quickest: Literal["torch", "onnx"] = "torch" if torch_rate > best.rate else "onnx"
        choice = ImageChoice(quickest, best.precision, best.cosine, rates, [float(x) for x in best.vector], bfloat16)
        best.file.replace(graph_file(folder))
    facts.replace(choice_file(folder), msgspec.json.format(msgspec.json.encode(choice)))
    return choice


def _exported(encoder: OpenClipEncoder, file: Path) -> ByTorch:
    pixels = sample_pixels(encoder.preprocessing)
    wanted = encoder.encode_images(pixels)
    rates = _torch_rates(encoder, pixels, wanted)
    if bytes_of_images(encoder) > LARGEST:
        return ByTorch(pixels, wanted, rates, None)
    try:
        export_images(encoder, file)
    except OSError:
        raise
    except Exception:  # whatever an unusual tower makes torch raise: then torch alone runs it
        return ByTorch(pixels, wanted, rates, None)
    return ByTorch(pixels, wanted, rates, file)


def _candidates(exported: ByTorch, threads: int | None) -> list[Candidate]:
    """The graph in eight bits where it multiplies matrices, and in single precision where that may be quicker."""
    single = exported.graph
    if single is None:
        return []
    measured = partial(_measured, pixels=exported.pixels, wanted=exported.wanted, threads=threads)
    whole = single.with_name("int8.onnx")
    candidates: list[Candidate] = []
    try:
        if has_products(single):
            quantize(single, whole)
            candidates.append(measured("int8", whole))
        if not (is_quicker_for_certain() and any(one.cosine >= FAITHFUL for one in candidates)):
            candidates.append(measured("float32", single))
    except OSError:
        raise
    except Exception:  # whatever an unusual tower makes ONNX Runtime raise: as above
        return []
    return candidates


def _torch_rates(encoder: OpenClipEncoder, pixels: Pixels, wanted: Vectors) -> TorchRates:
    single = _rate(encoder.encode_images, pixels)
    rates = {"torch float32": single}
    if processor_can(*_BFLOAT16):
        half = encoder.encode_images_in_bfloat16
        # Some processors have the instructions, and no speed: two pictures tell.
        quick = _rate(half, pixels[:2]) > single / 2
        if quick and worst_cosine(half(pixels), wanted) >= FAITHFUL:
            rates["torch bfloat16"] = _rate(half, pixels)
    return rates


def _measured(
    precision: Literal["int8", "float32"], file: Path, pixels: Pixels, wanted: Vectors, threads: int | None
) -> Candidate:
    tower = ImageTower(file, threads)
    found = tower(pixels)
    return Candidate(precision, file, worst_cosine(found, wanted), _rate(tower, pixels), found[-1])


def _rate(encode: Encode, pixels: Pixels) -> float:
    """Pictures a second, of the quickest of several calls: what else runs on the machine only slows down."""
    taken: list[float] = []
    begun = time.perf_counter()
    while not taken or time.perf_counter() - begun < _SECONDS:
        started = time.perf_counter()
        encode(pixels)
        taken.append(time.perf_counter() - started)
    return len(pixels) / float(np.min(taken))
