"""What open_clip brings along: its architectures and its table of published weights.

Importing open_clip imports torch, which takes seconds. So the architectures are read from open_clip's own files
without importing it, and the table of weights is kept in the cache after the first look.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from clipsearch.errors import ModelError
from clipsearch.models import cache

Config = Mapping[str, Any]
"""A `model_cfg` as open_clip writes it: `embed_dim`, `vision_cfg`, `text_cfg` and a few switches."""


@lru_cache(maxsize=1)
def architectures() -> frozenset[str]:
    """Names of all architectures of the installed open_clip."""
    return frozenset(path.stem for path in (_package() / "model_configs").glob("*.json"))


def architecture_config(architecture: str) -> dict[str, Any]:
    """Return the configuration of one of `architectures`."""
    path = _package() / "model_configs" / f"{architecture}.json"
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return config


def default_vocabulary() -> Path:
    """The byte-pair vocabulary of OpenAI's CLIP, which open_clip uses where a model names no other."""
    return _package() / "bpe_simple_vocab_16e6.txt.gz"


@lru_cache(maxsize=1)
def published() -> Mapping[str, Mapping[str, Config]]:
    """All published weights: architecture -> tag -> `hf_hub`, `mean`, `std`, `interpolation`, `resize_mode`, ..."""
    key = f"open_clip-{importlib.metadata.version('open_clip_torch')}"
    table: dict[str, dict[str, Config]] | None = cache.read(key)
    if table is None:
        from open_clip.pretrained import get_pretrained_cfg, list_pretrained

        table = {}
        for architecture, tag in list_pretrained():
            table.setdefault(architecture, {})[tag] = get_pretrained_cfg(architecture, tag)
        cache.write(key, table)
    return table


@lru_cache(maxsize=1)
def _package() -> Path:
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise ModelError("open_clip is not installed: run `pip install open-clip-torch`")
    return Path(spec.origin).parent
