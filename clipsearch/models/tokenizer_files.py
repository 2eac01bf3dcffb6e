"""The files that cut sentences into tokens for a model of open_clip."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clipsearch.errors import ModelError
from clipsearch.models import catalogue, hub
from clipsearch.models.catalogue import Config

VOCABULARY_FILE = "bpe_simple_vocab.txt.gz"
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_SETTINGS_FILE = "tokenizer_config.json"

# In the order of preference; the last two are sentencepiece's, which some old repositories have alone.
_HF_VOCABULARIES = (TOKENIZER_FILE, "spiece.model", "sentencepiece.bpe.model")


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """What a sentence is cut into tokens with.

    `vocabulary` is a byte-pair vocabulary of open_clip's own tokenizer (`.txt.gz`), a `tokenizer.json` of the
    tokenizers library or a sentencepiece file, these with their `settings` beside them. Texts are cut off after
    `context_length` tokens, and padded to as many; `options` are those of open_clip's `HFTokenizer`. Where
    `by_transformers` is set, the transformers library has to read the files, all of the vocabulary's folder.
    """

    vocabulary: Path
    settings: Path | None
    context_length: int
    options: Mapping[str, Any] = field(default_factory=dict)
    by_transformers: bool = False


def tokenizer_files(config: Config, folder: Path | None, offline: bool) -> TokenizerFiles:
    """Find the tokenizer where open_clip would: in the model's folder, on the Hub, or in open_clip itself.

    Raises FetchFailed if a file cannot be had, ModelError if the transformers library is needed and missing.
    """
    text = config["text_cfg"]
    vocabulary, settings = _vocabulary(text.get("hf_tokenizer_name", ""), folder, offline)
    mode = text.get("tokenizer_mode")
    # A text tower of transformers is fed by its tokenizer, some of which (NLLB's) add to what tokenizer.json says.
    special = text.get("hf_model_name") or mode or vocabulary.name != TOKENIZER_FILE
    by_transformers = bool(special) and vocabulary.name in _HF_VOCABULARIES
    if by_transformers:
        require_transformers(f"What reads the tokenizer {vocabulary}")
    return TokenizerFiles(
        vocabulary=vocabulary,
        settings=settings,
        context_length=text.get("context_length", 77),
        options=text.get("tokenizer_kwargs", {}) | ({"tokenizer_mode": mode} if mode else {}),
        by_transformers=by_transformers,
    )


def require_transformers(what: str) -> None:
    """Raise ModelError unless the transformers library, of which `what` is a part, is installed."""
    if importlib.util.find_spec("transformers") is None:
        raise ModelError(
            f"{what} comes from the transformers library, which is not installed: run `pip install 'clipsearch[hf]'`, "
            "or choose another model"
        )


def _vocabulary(repo: str, folder: Path | None, offline: bool) -> tuple[Path, Path | None]:
    if folder and (folder / VOCABULARY_FILE).is_file():
        return folder / VOCABULARY_FILE, None
    if not repo:
        return catalogue.default_vocabulary(), None
    if folder and (found := [folder / file for file in _HF_VOCABULARIES if (folder / file).is_file()]):
        settings = folder / TOKENIZER_SETTINGS_FILE
        return found[0], settings if settings.is_file() else None
    return (
        hub.fetch(repo, _HF_VOCABULARIES, offline=offline),
        hub.fetch(repo, [TOKENIZER_SETTINGS_FILE], offline=offline),
    )
