"""One short text that is equal for two models exactly if their vectors can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any

from clipsearch.models import cache
from clipsearch.models.catalogue import Config
from clipsearch.models.hf_files import HfModel
from clipsearch.models.tokenizer_files import TokenizerFiles
from clipsearch.models.weights import ResolvedModel

_SCHEME = 1
"""Raise it when the meaning of a fingerprint changes; all indexes made before are refused then."""

# Training hints, the layout of a checkpoint, and places where files come from: none of them changes a vector.
_IRRELEVANT = {
    "custom_text",
    "hf_model_name",
    "hf_model_pretrained",
    "hf_tokenizer_name",
    "init_logit_bias",
    "init_logit_scale",
    "timm_model_pretrained",
    "tokenizer_kwargs",
}

_IRRELEVANT_TO_HF = {"_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version"}


def fingerprint_of(model: ResolvedModel) -> str:
    """Digest of weights, preprocessing, tokenizer and architecture, as 32 hexadecimal digits.

    Where the files lie and what they are called does not matter. Reads each file once: later calls find its digest
    in the cache as long as its size and modification time stay.
    """
    facts = {
        "scheme": _SCHEME,
        "weights": _file_digest(model.checkpoint),
        "preprocessing": asdict(model.preprocessing),
        "tokenizer": _tokenizer(model.tokenizer),
        "architecture": _relevant(model.config),
    }
    return _digest_of(facts)


def hf_fingerprint_of(model: HfModel) -> str:
    """The same of a model of the transformers library: of its weights and everything its configuration says."""
    facts = {
        "scheme": _SCHEME,
        "weights": [_file_digest(path) for path in model.weights],
        "settings": {path.name: _file_digest(path) for path in model.settings},
        "architecture": _without(_IRRELEVANT_TO_HF, model.config),
    }
    return _digest_of(facts)


def _digest_of(facts: dict[str, Any]) -> str:
    return blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=16).hexdigest()


def _tokenizer(files: TokenizerFiles) -> dict[str, Any]:
    return {
        "vocabulary": _file_digest(files.vocabulary),
        "settings": _file_digest(files.settings) if files.settings else None,
        "context_length": files.context_length,
        "options": dict(files.options),
    }


def _relevant(config: Config) -> dict[str, Any]:
    kept = _without(_IRRELEVANT, config)
    if not kept.get("quick_gelu"):
        kept.pop("quick_gelu", None)
    return kept


def _without(names: set[str], config: Config) -> dict[str, Any]:
    kept = {key: value for key, value in config.items() if key not in names}
    return {key: _without(names, value) if isinstance(value, Mapping) else value for key, value in kept.items()}


def _file_digest(path: Path) -> str:
    path = path.resolve()
    status = path.stat()
    key = f"digest-{blake2b(str(path).encode(), digest_size=16).hexdigest()}"
    version = [status.st_size, status.st_mtime_ns]
    known = cache.read(key)
    if isinstance(known, list) and known[:2] == version:
        return str(known[2])
    digest = _digest(path)
    cache.write(key, [*version, digest])
    return digest


def _digest(path: Path) -> str:
    digest = blake2b(digest_size=16)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
