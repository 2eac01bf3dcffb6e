"""CLIP models: names, presets, weights and the encoders made of them. The only package that imports torch.

For example
    encoder = load_encoder("mini")
    encoder.encode_texts(["two dogs in the snow"])     # float32 [1, encoder.dim], of norm 1

A name becomes an encoder in three steps, each a module: `names` understands it, `weights` finds its files, `openclip`
runs them; for models of the transformers library the last two are `hf_files` and `huggingface`. Only the last step,
and a first look at open_clip's table of weights, imports torch.
"""

from __future__ import annotations

from clipsearch.models.default import DefaultChoice, choose_default
from clipsearch.models.fingerprint import fingerprint_of, hf_fingerprint_of
from clipsearch.models.hf_files import resolve_hf
from clipsearch.models.names import HfName, parse
from clipsearch.models.presets import PRESETS, Preset, preset_table
from clipsearch.models.weights import resolve
from clipsearch.types import Encoder

__all__ = [
    "PRESETS",
    "DefaultChoice",
    "Preset",
    "choose_default",
    "load_encoder",
    "model_fingerprint",
    "preset_table",
]


def load_encoder(name: str, *, device: str = "auto", offline: bool = False) -> Encoder:
    """Load the model `name`, in any spelling `clipsearch.models.names` lists, downloading it if need be.

    `device` is auto, cuda, mps or cpu. With `offline` the network is not touched. Raises ModelUnavailable if files
    are missing and cannot be downloaded, ModelError if the name, the files or the device are no good.
    """
    parsed = parse(name)
    if isinstance(parsed, HfName):
        files = resolve_hf(parsed, offline=offline)
        from clipsearch.models.huggingface import HuggingFaceEncoder

        return HuggingFaceEncoder(files, device)
    resolved = resolve(parsed, offline=offline)
    from clipsearch.models.openclip import OpenClipEncoder

    return OpenClipEncoder(resolved, device)


def model_fingerprint(name: str, *, offline: bool = False) -> str:
    """Return the fingerprint of the encoder that `load_encoder` would load, without loading it.

    Raises as `load_encoder` does when files are missing, but does not look into the weights.
    """
    parsed = parse(name)
    if isinstance(parsed, HfName):
        return hf_fingerprint_of(resolve_hf(parsed, offline=offline))
    return fingerprint_of(resolve(parsed, offline=offline))
