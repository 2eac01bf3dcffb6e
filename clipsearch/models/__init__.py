"""CLIP models: names, presets, weights and the encoders made of them. The only package that imports torch.

For example
    encoder = load_encoder("mini")
    encoder.encode_texts(["two dogs in the snow"])     # float32 [1, encoder.dim], of norm 1

A name becomes an encoder in three steps, each a module: `names` understands it, `weights` finds its files, `openclip`
runs them; for models of the transformers library the last two are `hf_files` and `huggingface`. On a CPU `towers` takes
the place of `openclip` once a model is known. Only these last steps, and a first look at open_clip's table of weights,
import torch.
"""

from __future__ import annotations

from collections.abc import Callable

from clipsearch.errors import UsageError
from clipsearch.models.default import DefaultChoice, choose_default
from clipsearch.models.fingerprint import fingerprint_of, hf_fingerprint_of
from clipsearch.models.hf_files import resolve_hf
from clipsearch.models.names import MINI, HfName, parse
from clipsearch.models.presets import PRESETS, Preset, preset_table
from clipsearch.models.towers.engine import require_engine, wants_torch
from clipsearch.models.weights import resolve
from clipsearch.types import Encoder

__all__ = [
    "PRESETS",
    "DefaultChoice",
    "Preset",
    "choose_default",
    "engine_summary",
    "load_encoder",
    "model_fingerprint",
    "preset_table",
]


def load_encoder(
    name: str,
    *,
    device: str = "auto",
    offline: bool = False,
    engine: str = "auto",
    threads: int | None = None,
    tell: Callable[[str], None] = lambda what: None,
) -> Encoder:
    """Load a model, downloading it if need be.

    Args:
        name: in any spelling `clipsearch.models.names` lists.
        device: auto, cuda, mps or cpu.
        offline: do not touch the network.
        engine: what runs the model: `torch`; `onnx` (ONNX Runtime and NumPy, on a CPU and for models of open_clip); or
            `auto`, which is torch on a GPU, and on a CPU what proved to be quicker on this machine.
        threads: to compute with on a CPU; by default one for each processor.
        tell: hears of work that is done once for a model, and takes from seconds to a minute.

    Raises:
        ModelUnavailable: files are missing and cannot be downloaded.
        ModelError: the name, the files or the device are no good.
        UsageError: there is no such engine, or not on this device or for this model.
    """
    chosen = require_engine(engine, device)
    parsed = parse(name)
    if isinstance(parsed, HfName):
        if chosen == "onnx":
            raise UsageError(
                f"{parsed} is a model of the transformers library, which torch alone runs: --engine torch."
            )
        files = resolve_hf(parsed, offline=offline)
        from clipsearch.models.huggingface import HuggingFaceEncoder

        return HuggingFaceEncoder(files, device, tell)
    resolved = resolve(parsed, offline=offline)
    if not wants_torch(chosen, device):
        from clipsearch.models.towers.encoder import PortableEncoder

        return PortableEncoder(resolved, chosen, threads, tell)
    from clipsearch.models.openclip import OpenClipEncoder

    return OpenClipEncoder(resolved, device, threads, tell)


def engine_summary(fingerprint: str) -> str | None:
    """What runs the image tower of a model on this machine's processor, in words; None where that was not measured.

    On a GPU it is torch in any case.
    """
    from clipsearch.models.towers.facts import cache_folder, read_facts
    from clipsearch.models.towers.image_choice import read_choice

    if read_facts(MINI, fingerprint):
        return "onnx, float32 (as shipped)"
    choice = read_choice(cache_folder(fingerprint))
    return choice.summary if choice else None


def model_fingerprint(name: str, *, offline: bool = False) -> str:
    """Return the fingerprint of the encoder that `load_encoder` would load, without loading it.

    Raises as `load_encoder` does when files are missing, but does not look into the weights.
    """
    parsed = parse(name)
    if isinstance(parsed, HfName):
        return hf_fingerprint_of(resolve_hf(parsed, offline=offline))
    return fingerprint_of(resolve(parsed, offline=offline))
