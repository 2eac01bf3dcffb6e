"""From the name of a model of the transformers library to the files it is made of; neither torch nor transformers is
needed for it.

Such a model is a folder: `config.json`, weights in one file or in shards, a tokenizer, and how pictures are prepared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from clipsearch.errors import ModelError
from clipsearch.models import hub
from clipsearch.models.catalogue import Config
from clipsearch.models.names import HF_CONFIG_FILE, HfFolder, HfName
from clipsearch.models.tokenizer_files import require_transformers
from clipsearch.models.weights import unavailable

# transformers' own names, the safe format first.
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")

_PICTURES = ("preprocessor_config.json", "processor_config.json")
_VOCABULARIES = (
    "tokenizer.json",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
_SETTINGS = (
    *_PICTURES,
    *_VOCABULARIES,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
)


@dataclass(frozen=True, slots=True)
class HfModel:
    """A model of the transformers library whose files are all in one `folder` on this machine.

    `name` is the canonical spelling of its name, `config` what `config.json` says, `weights` are the files of weights
    and `settings` those of the tokenizer and the preparation of pictures, in the order of their names.
    """

    name: str
    folder: Path
    config: Config
    weights: tuple[Path, ...]
    settings: tuple[Path, ...]


def resolve_hf(name: HfName, *, offline: bool = False) -> HfModel:
    """Find the files of a model, downloading them into the Hugging Face cache if they are not there yet.

    With `offline`, or when everything is there, the network is not touched. Raises ModelUnavailable if a file is
    neither here nor downloadable, and ModelError if the files make no model or the transformers library is missing.
    """
    require_transformers(f"The model {name}")
    try:
        folder = name.path if isinstance(name, HfFolder) else _repository(name.repo, offline)
    except hub.FetchFailed as failure:
        raise unavailable(name, failure) from failure
    if missing := _missing(folder):
        raise ModelError(f"{folder} is no complete model: it has no {missing}")
    return HfModel(
        name=str(name),
        folder=folder,
        config=_read(folder / HF_CONFIG_FILE),
        weights=_weights_in(folder),
        settings=tuple(folder / file for file in sorted(_SETTINGS) if (folder / file).is_file()),
    )


def _repository(repo: str, offline: bool) -> Path:
    config = hub.cached_file(repo, HF_CONFIG_FILE)
    if config and not _missing(config.parent):
        return config.parent
    if offline:
        raise hub.FetchFailed("nothing is downloaded in offline mode")
    # Weights come last, so that where there are weights everything else is there, too.
    folder = hub.fetch_folder(repo, [HF_CONFIG_FILE, *_SETTINGS, "*.index.json"], known=HF_CONFIG_FILE)
    for file in _WEIGHTS:
        if not _weights_in(folder):
            stem, suffix = file.split(".")
            hub.fetch_folder(repo, [file, f"{stem}-*.{suffix}"], known=HF_CONFIG_FILE)
    return folder


def _missing(folder: Path) -> str:
    """What a folder lacks to be a model, in words, or nothing."""
    if not _weights_in(folder):
        return f"weights: {' or '.join(_WEIGHTS)}, or all shards of one of them"
    for files in ((HF_CONFIG_FILE,), _PICTURES, _VOCABULARIES):
        if not any((folder / file).is_file() for file in files):
            return " or ".join(files)
    return ""


def _weights_in(folder: Path) -> tuple[Path, ...]:
    """The files of weights, complete or none."""
    for file in _WEIGHTS:
        if (folder / file).is_file():
            return (folder / file,)
        index = folder / f"{file}.index.json"
        shards = _shards(index) if index.is_file() else ()
        if shards and all(shard.is_file() for shard in shards):
            return shards
    return ()


def _shards(index: Path) -> tuple[Path, ...]:
    """The files among which an index says the weights are divided."""
    names = _read(index).get("weight_map", {}).values()
    return tuple(index.parent / name for name in sorted(set(names)))


def _read(file: Path) -> Config:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise ModelError(f"{file} is damaged: get the file again")
    return content
