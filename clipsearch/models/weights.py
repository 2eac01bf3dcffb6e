"""From a model name to the files it is made of, downloading what is missing; torch is not needed for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipsearch.errors import ModelError, ModelUnavailable
from clipsearch.models import catalogue, hub
from clipsearch.models.catalogue import Config
from clipsearch.models.names import CONFIG_FILE, Checkpoint, Folder, HfName, Hub, ModelName, OpenClipName, Tag, parse
from clipsearch.models.preprocessing import agreed, preprocessing_of
from clipsearch.models.tokenizer_files import TokenizerFiles, require_transformers, tokenizer_files
from clipsearch.types import Preprocessing

# open_clip's own names, the safe format first.
_HUB_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
_FOLDER_WEIGHTS = (*_HUB_WEIGHTS, "open_clip_pytorch_model.safetensors", "model.safetensors", "pytorch_model.bin")
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


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
        config = _with_local_text_tower(config, folder, offline)
        return Blueprint(name, config, tokenizer_files(config, folder, offline), preprocessing_of(config, preparation))
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
    parsed = _of_open_clip(parse(name))
    return parsed.path if isinstance(parsed, Folder) else None, _description(parsed, offline)


def resolve(name: str | ModelName, *, offline: bool = False) -> ResolvedModel:
    """Find the files of a model, downloading them into the Hugging Face cache if they are not there yet.

    With `offline`, or when everything is there, the network is not touched. Raises ModelUnavailable if a file is
    neither here nor downloadable, and ModelError if the name means nothing, its files make no model, or it is not
    one of open_clip (`hf_files` finds those).
    """
    parsed = _of_open_clip(parse(name) if isinstance(name, str) else name)
    try:
        return _resolve(parsed, offline)
    except hub.FetchFailed as failure:
        raise unavailable(parsed, failure) from failure


def _of_open_clip(name: ModelName) -> OpenClipName:
    if isinstance(name, HfName):
        raise ModelError(
            f"{name} is a model of the transformers library, which can be searched with but not trained: name a model "
            "of open_clip"
        )
    return name


def unavailable(name: ModelName, failure: hub.FetchFailed) -> ModelUnavailable:
    """The error to raise where a file of a model is neither here nor downloadable."""
    return ModelUnavailable(
        f"The model {name} is not on this machine and could not be downloaded ({failure}): try again with a "
        "working network, name local weights as ARCHITECTURE:/path/to/checkpoint.pt or a model folder by its "
        "path, or take `--model mini`, which ships with clipsearch"
    )


def _resolve(name: OpenClipName, offline: bool) -> ResolvedModel:
    folder = name.path if isinstance(name, Folder) else None
    config, preparation = _description(name, offline)
    config = _with_local_text_tower(config, folder, offline)
    return ResolvedModel(
        name=str(name),
        config=config,
        checkpoint=_weights(name, offline),
        tokenizer=tokenizer_files(config, folder, offline),
        preprocessing=preprocessing_of(config, preparation),
    )


def _description(name: OpenClipName, offline: bool) -> tuple[Config, Mapping[str, Any]]:
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
        raise ModelError(
            f"There is no model at {file.parent}: it has neither {file.name} nor the config.json of the transformers "
            "library"
        )
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


def _weights(name: OpenClipName, offline: bool) -> Path:
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


def _with_local_text_tower(config: Config, folder: Path | None, offline: bool) -> Config:
    """A few architectures take their text tower from transformers, which would go to the network for its shape. A model
    folder may have the shape in a folder of its own."""
    text = config["text_cfg"]
    repo = text.get("hf_model_name")
    if not repo:
        return config
    require_transformers(f"The text tower {repo}")
    shape = (folder or Path()) / repo / "config.json"
    if not shape.is_file():
        shape = hub.fetch(repo, ["config.json"], offline=offline)
    return {**config, "text_cfg": {**text, "hf_model_name": str(shape.parent)}}


def _weights_in(folder: Path) -> Path:
    for name in _FOLDER_WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    others = [path for path in sorted(folder.iterdir()) if path.suffix in _WEIGHT_SUFFIXES]
    if len(others) == 1:
        return others[0]
    found = "several files of weights" if others else "no weights"
    raise ModelError(f"{folder} holds {found}: name the file to use {_HUB_WEIGHTS[0]}")
