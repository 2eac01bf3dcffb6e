"""From a model name to the files it is made of, downloading what is missing; torch is not needed for it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clipsearch.errors import ModelError, ModelUnavailable
from clipsearch.models import catalogue, hub
from clipsearch.models.catalogue import Config
from clipsearch.models.names import CONFIG_FILE, Checkpoint, Folder, Hub, ModelName, Tag, parse
from clipsearch.models.preprocessing import agreed, preprocessing_of
from clipsearch.types import Preprocessing

VOCABULARY_FILE = "bpe_simple_vocab.txt.gz"
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_SETTINGS_FILE = "tokenizer_config.json"

# open_clip's own names, the safe format first.
_HUB_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
_FOLDER_WEIGHTS = (*_HUB_WEIGHTS, "open_clip_pytorch_model.safetensors", "model.safetensors", "pytorch_model.bin")
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """What a sentence is cut into tokens with.

    `vocabulary` is a byte-pair vocabulary of open_clip's own tokenizer (`.txt.gz`) or a `tokenizer.json` of the
    tokenizers library, the latter with its `settings` beside it. Texts are cut off after `context_length` tokens;
    `options` are those of open_clip's `tokenizer_kwargs`.
    """

    vocabulary: Path
    settings: Path | None
    context_length: int
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model whose files are all on this machine. `name` is the canonical spelling of its name."""

    name: str
    config: Config
    checkpoint: Path
    tokenizer: TokenizerFiles
    preprocessing: Preprocessing


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A model without weights: what is needed to train one from nothing."""

    name: str
    config: Config
    tokenizer: TokenizerFiles
    preprocessing: Preprocessing


def blueprint(name: str, *, offline: bool = False) -> Blueprint:
    """Find what a model is made of, apart from its weights.

    `name` is an architecture of open_clip (ViT-B-32), a JSON file with a `model_cfg` or one as open_clip's own
    (tokenizer files are looked for beside it), or a model in any spelling of `clipsearch.models.names`. Raises as
    `resolve` does.
    """
    try:
        folder, (config, preparation) = _untrained(name, offline)
        config = _with_local_text_tower(config, offline)
        return Blueprint(name, config, _tokenizer(config, folder, offline), preprocessing_of(config, preparation))
    except hub.FetchFailed as failure:
        raise ModelUnavailable(
            f"{name} needs files that are not on this machine and could not be downloaded ({failure}): try again with "
            "a working network, or begin from another architecture"
        ) from failure


def _untrained(name: str, offline: bool) -> tuple[Path | None, tuple[Config, Mapping[str, Any]]]:
    """The folder a model may keep its tokenizer in, and its description."""
    architecture, file = name.replace("/", "-"), Path(name).expanduser()
    if architecture in catalogue.architectures():
        return None, (catalogue.architecture_config(architecture), {})
    if file.suffix == ".json":
        return file.parent, _read_description(file)
    parsed = parse(name)
    return parsed.path if isinstance(parsed, Folder) else None, _description(parsed, offline)


def resolve(name: str | ModelName, *, offline: bool = False) -> ResolvedModel:
    """Find the files of a model, downloading them into the Hugging Face cache if they are not there yet.

    With `offline`, or when everything is there, the network is not touched. Raises ModelUnavailable if a file is
    neither here nor downloadable, and ModelError if the name means nothing or its files make no model.
    """
    parsed = parse(name) if isinstance(name, str) else name
    try:
        return _resolve(parsed, offline)
    except hub.FetchFailed as failure:
        raise ModelUnavailable(
            f"The model {parsed} is not on this machine and could not be downloaded ({failure}): try again with a "
            "working network, name local weights as ARCHITECTURE:/path/to/checkpoint.pt or a model folder by its "
            "path, or take `--model mini`, which ships with clipsearch"
        ) from failure


def _resolve(name: ModelName, offline: bool) -> ResolvedModel:
    folder = name.path if isinstance(name, Folder) else None
    config, preparation = _description(name, offline)
    config = _with_local_text_tower(config, offline)
    return ResolvedModel(
        name=str(name),
        config=config,
        checkpoint=_weights(name, offline),
        tokenizer=_tokenizer(config, folder, offline),
        preprocessing=preprocessing_of(config, preparation),
    )


def _description(name: ModelName, offline: bool) -> tuple[Config, Mapping[str, Any]]:
    """The architecture of a model, and what is said about how its pictures are prepared."""
    match name:
        case Tag(architecture, tag):
            row = catalogue.published()[architecture][tag]
            config = catalogue.architecture_config(architecture)
            # open_clip only warns when a tag was trained with another activation than its architecture says.
            return (config | {"quick_gelu": True} if row.get("quick_gelu") else config), row
        case Checkpoint(architecture):
            config = catalogue.architecture_config(architecture)
            return config, agreed(catalogue.published().get(architecture, {}).values())
        case Hub(repo):
            return _read_description(hub.fetch(repo, [CONFIG_FILE], offline=offline))
        case Folder(path):
            return _read_description(path / CONFIG_FILE)


def _read_description(file: Path) -> tuple[Config, Mapping[str, Any]]:
    if not file.is_file():
        raise ModelError(f"There is no model at {file.parent}: it has no {file.name}")
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        config = stored.get("model_cfg", stored)
        if all(key in config for key in ("embed_dim", "vision_cfg", "text_cfg")):
            return config, stored.get("preprocess_cfg", {})
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        pass
    raise ModelError(
        f"{file} does not describe an open_clip model: it needs `model_cfg` with `embed_dim`, `vision_cfg`, `text_cfg`"
    )


def _weights(name: ModelName, offline: bool) -> Path:
    match name:
        case Tag(architecture, tag):
            repo, _, filename = catalogue.published()[architecture][tag]["hf_hub"].rpartition("/")
            return hub.fetch(repo, [filename] if filename else _HUB_WEIGHTS, offline=offline)
        case Checkpoint(architecture, path):
            if not path.is_file():
                raise ModelError(f"There is no file {path}: write {architecture}:/path/to/checkpoint.pt")
            return path
        case Hub(repo):
            return hub.fetch(repo, _HUB_WEIGHTS, offline=offline)
        case Folder(path):
            return _weights_in(path)


def _with_local_text_tower(config: Config, offline: bool) -> Config:
    """A few architectures take their text tower from transformers, which would go to the network for its shape."""
    text = config["text_cfg"]
    repo = text.get("hf_model_name")
    if not repo:
        return config
    if importlib.util.find_spec("transformers") is None:
        raise ModelError(
            f"The text tower {repo} comes from the transformers library: run `pip install transformers`, or choose "
            "another model"
        )
    shape = hub.fetch(repo, ["config.json"], offline=offline)
    return {**config, "text_cfg": {**text, "hf_model_name": str(shape.parent)}}


def _tokenizer(config: Config, folder: Path | None, offline: bool) -> TokenizerFiles:
    """Find the tokenizer where open_clip would: in the model's folder, on the Hub, or in open_clip itself."""
    text = config["text_cfg"]
    vocabulary, settings = _vocabulary(text.get("hf_tokenizer_name", ""), folder, offline)
    return TokenizerFiles(
        vocabulary=vocabulary,
        settings=settings,
        context_length=text.get("context_length", 77),
        options=text.get("tokenizer_kwargs", {}),
    )


def _vocabulary(repo: str, folder: Path | None, offline: bool) -> tuple[Path, Path | None]:
    if folder and (folder / VOCABULARY_FILE).is_file():
        return folder / VOCABULARY_FILE, None
    if not repo:
        return catalogue.default_vocabulary(), None
    if folder and (folder / TOKENIZER_FILE).is_file():
        settings = folder / TOKENIZER_SETTINGS_FILE
        return folder / TOKENIZER_FILE, settings if settings.is_file() else None
    return (
        hub.fetch(repo, [TOKENIZER_FILE], offline=offline),
        hub.fetch(repo, [TOKENIZER_SETTINGS_FILE], offline=offline),
    )


def _weights_in(folder: Path) -> Path:
    for name in _FOLDER_WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    others = [path for path in sorted(folder.iterdir()) if path.suffix in _WEIGHT_SUFFIXES]
    if len(others) == 1:
        return others[0]
    found = "several files of weights" if others else "no weights"
    raise ModelError(f"{folder} holds {found}: name the file to use {_HUB_WEIGHTS[0]}")
