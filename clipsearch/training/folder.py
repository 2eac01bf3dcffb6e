"""The model folder that training writes, in open_clip's layout, which `clipsearch index --model FOLDER` opens."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from clipsearch.models.catalogue import Config
from clipsearch.models.names import CONFIG_FILE, HF_CONFIG_FILE
from clipsearch.models.tokenizer_files import (
    TOKENIZER_SETTINGS_FILE,
    VOCABULARY_FILE,
    TokenizerFiles,
)
from clipsearch.training.files import whole
from clipsearch.training.losses import SIGLIP_START_BIAS
from clipsearch.types import Preprocessing

WEIGHTS_FILE = "open_clip_model.safetensors"
TEXT_TOWER = "text_tower"
"""The folder in a model folder with the shape of a text tower of the transformers library."""


def write_model(folder: Path, config: Config, preprocessing: Preprocessing, weights: Mapping[str, Tensor]) -> None:
    """Write configuration and float16 weights, each replaced in one move, so that a reader finds whole files always.

    A bias of 0 belongs to no loss with one, and is left out.
    """
    state = {name: value.detach().cpu() for name, value in weights.items()}
    if "logit_bias" in state and not state["logit_bias"].any():
        del state["logit_bias"]
    if "logit_bias" in state:
        config = {**config, "init_logit_bias": config.get("init_logit_bias", SIGLIP_START_BIAS)}
    with whole(folder / WEIGHTS_FILE) as draft:
        halves = {name: (v.half() if v.is_floating_point() else v).contiguous() for name, v in state.items()}
        # As bytes: a file that safetensors makes itself is for its owner only.
        draft.write_bytes(save({name: value.clone() for name, value in halves.items()}, {"format": "pt"}))
    if config["text_cfg"].get("hf_model_name"):
        config = {**config, "text_cfg": {**config["text_cfg"], "hf_model_name": TEXT_TOWER}}
    with whole(folder / CONFIG_FILE) as draft:
        description = {"model_cfg": config, "preprocess_cfg": _described(preprocessing)}
        draft.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def copy_tokenizer(files: TokenizerFiles, folder: Path) -> None:
    """Put a tokenizer's files where `clipsearch.models.weights` looks for them in a model folder."""
    own_kind = files.vocabulary.name.endswith(".txt.gz")
    wanted = [(files.vocabulary, VOCABULARY_FILE if own_kind else files.vocabulary.name)]
    if files.settings:
        wanted.append((files.settings, TOKENIZER_SETTINGS_FILE))
    for source, name in wanted:
        if source.resolve() != (folder / name).resolve():
            with whole(folder / name) as draft:
                shutil.copyfile(source, draft)


def copy_text_tower(config: Config, folder: Path) -> None:
    """Put the shape of a text tower of the transformers library, where a model has one, into a model folder."""
    origin, target = config["text_cfg"].get("hf_model_name"), folder / TEXT_TOWER
    if origin and Path(origin).resolve() != target.resolve():
        target.mkdir(exist_ok=True)
        with whole(target / HF_CONFIG_FILE) as draft:
            shutil.copyfile(Path(origin, HF_CONFIG_FILE), draft)


def _described(preprocessing: Preprocessing) -> dict[str, Any]:
    facts = asdict(preprocessing)
    width, height, fill = (facts.pop(name) for name in ("width", "height", "fill"))
    facts = {name: list(value) if isinstance(value, tuple) else value for name, value in facts.items()}
    return {"size": [height, width], "mode": "RGB", "fill_color": fill, **facts}
