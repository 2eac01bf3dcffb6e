"""What is known of a model once torch has loaded it and found it whole: written down, so that torch need not again.

    <cache>/towers/<fingerprint>/
      towers.json            this
      text.safetensors       the text tower's weights, where the model's own file cannot be mapped
      <key>.json, <key>.onnx the image tower, see `image_choice`
A model folder may have its own `towers.json`, with the image tower as `image.onnx`: mini has.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec

from clipsearch.models.weights import ResolvedModel

FILE, SHIPPED_IMAGE = "towers.json", "image.onnx"
TEXT_WEIGHTS = "text.safetensors"


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What torch told of a model.

    Attributes:
        fingerprint: the model's.
        logit_scale: as `Encoder.logit_scale`.
        logit_bias: as `Encoder.logit_bias`.
        text: where NumPy finds the text tower's weights: in the model's own file, in `text.safetensors`; or that only
            torch can run the tower.
    """

    fingerprint: str
    logit_scale: float
    logit_bias: float | None
    text: Literal["model", "exported", "torch"]


def cache_folder(fingerprint: str) -> Path:
    """Where the towers of a model are kept for this user."""
    from platformdirs import user_cache_path

    return user_cache_path("clipsearch") / "towers" / fingerprint


def read_facts(folder: Path, fingerprint: str) -> Facts | None:
    """The facts in a folder if they are about this model; None where there are none, or nothing sound."""
    try:
        facts = msgspec.json.decode((folder / FILE).read_bytes(), type=Facts)
    except (OSError, msgspec.DecodeError):
        return None
    return facts if facts.fingerprint == fingerprint else None


def write_facts(folder: Path, facts: Facts) -> None:
    """Put facts into a folder: readers see all of them or none.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / FILE, msgspec.json.format(msgspec.json.encode(facts)))


def replace(path: Path, content: bytes) -> None:
    """Give a file a new content in one step; raises OSError."""
    temporary = path.with_name(f"new-{os.getpid()}-{path.name}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def shipped_folder(model: ResolvedModel) -> Path:
    """Where a model that comes with its towers has them."""
    return model.checkpoint.parent
