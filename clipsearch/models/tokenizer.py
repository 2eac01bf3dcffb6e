"""Sentences to tokens, as open_clip's tokenizers do it, without the torch that importing those takes.

open_clip reads a `tokenizer.json` through the transformers library. The tokenizers library, which does the work in
there, gives the same tokens from the same file, without a 100 MB package and its seconds of importing. Transformers is
needed where the text tower itself comes from it, where the tokens are arranged in a way of their own, and for
sentencepiece files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import ModelError
from clipsearch.models.byte_pairs import BytePairs
from clipsearch.models.cleaning import cleaning
from clipsearch.models.tokenizer_files import TokenizerFiles
from clipsearch.models.weights import ResolvedModel

Tokens = NDArray[np.int64]
"""int64 [n, context_length]."""

Tokenizer = Callable[[Sequence[str]], Tokens]
"""Sentences to tokens."""


def load_tokenizer(files: TokenizerFiles) -> Tokenizer:
    """Return the tokenizer that `files` describe; raises whatever a broken file makes the libraries raise."""
    if files.by_transformers:
        return _from_open_clip("HFTokenizer", str(files.vocabulary.parent), files)
    if files.vocabulary.suffix == ".json":
        return _from_json(files, **files.options)
    if files.options.keys() <= {"clean"}:
        return BytePairs(files.vocabulary, files.context_length, cleaning(files.options.get("clean", "lower")))
    return _from_open_clip("SimpleTokenizer", str(files.vocabulary), files)


def tokenizer_of(model: ResolvedModel) -> Tokenizer:
    """Return the tokenizer of a model; raises ModelError where its files are no good."""
    try:
        return load_tokenizer(model.tokenizer)
    except Exception as error:  # damaged files make the libraries raise nearly anything
        raise ModelError(
            f"{model.tokenizer.vocabulary} is damaged or not a tokenizer, so {model.name} cannot be loaded: "
            "get the file again"
        ) from error


def _from_open_clip(kind: str, place: str, files: TokenizerFiles) -> Tokenizer:
    from open_clip import tokenizer

    words = getattr(tokenizer, kind)(place, context_length=files.context_length, **files.options)
    return lambda texts: np.asarray(words(list(texts)), np.int64)


def _from_json(files: TokenizerFiles, clean: str = "whitespace", strip_sep_token: bool = False) -> Tokenizer:
    """The options and their defaults are those of `open_clip.tokenizer.HFTokenizer`."""
    from tokenizers import Tokenizer as Rules

    rules = Rules.from_file(str(files.vocabulary))
    settings = json.loads(files.settings.read_text(encoding="utf-8")) if files.settings else {}
    padding = _special_token(rules, settings, "pad_token", ("<pad>", "[PAD]"))
    separator = _special_token(rules, settings, "sep_token", ("[SEP]", "</s>")) if strip_sep_token else None
    rules.enable_truncation(files.context_length)
    rules.enable_padding(direction=settings.get("padding_side", "right"), pad_id=padding, length=files.context_length)
    tidy = cleaning(clean)

    def tokenize(texts: Sequence[str]) -> Tokens:
        encodings = rules.encode_batch([tidy(text) for text in texts])
        tokens = np.array([encoding.ids for encoding in encodings], np.int64).reshape(len(texts), files.context_length)
        return tokens if separator is None else np.where(tokens == separator, 0, tokens)

    return tokenize


def _special_token(rules: Any, settings: dict[str, Any], role: str, usual: tuple[str, ...]) -> int:
    named = settings.get(role)
    named = named["content"] if isinstance(named, dict) else named
    for token in (named, *usual):
        if token is not None and (number := rules.token_to_id(token)) is not None:
            return int(number)
    raise ValueError(f"the tokenizer has no {role}")
