"""Sentences to tokens, with open_clip's own tokenizer or with a `tokenizer.json`.

open_clip reads a `tokenizer.json` through the transformers library. The tokenizers library, which does the work in
there, gives the same tokens from the same file, without a 100 MB package and its seconds of importing. Transformers is
needed where the text tower itself comes from it, where the tokens are arranged in a way of their own, and for
sentencepiece files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import torch
from open_clip.tokenizer import SimpleTokenizer, get_clean_fn

from clipsearch.models.tokenizer_files import TokenizerFiles

Tokenizer = Callable[[Sequence[str]], torch.Tensor]
"""Sentences to int64 [n, context_length]."""


def load_tokenizer(files: TokenizerFiles) -> Tokenizer:
    """Return the tokenizer that `files` describe; raises whatever a broken file makes the libraries raise."""
    if files.by_transformers:
        from open_clip.tokenizer import HFTokenizer

        words = HFTokenizer(str(files.vocabulary.parent), context_length=files.context_length, **files.options)
        return lambda texts: words(list(texts))
    if files.vocabulary.suffix == ".json":
        return _from_json(files, **files.options)
    tokenize = SimpleTokenizer(bpe_path=str(files.vocabulary), context_length=files.context_length, **files.options)
    return lambda texts: tokenize(list(texts))


def _from_json(files: TokenizerFiles, clean: str = "whitespace", strip_sep_token: bool = False) -> Tokenizer:
    """The options and their defaults are those of `open_clip.tokenizer.HFTokenizer`."""
    from tokenizers import Tokenizer as Rules

    rules = Rules.from_file(str(files.vocabulary))
    settings = json.loads(files.settings.read_text(encoding="utf-8")) if files.settings else {}
    padding = _special_token(rules, settings, "pad_token", ("<pad>", "[PAD]"))
    separator = _special_token(rules, settings, "sep_token", ("[SEP]", "</s>")) if strip_sep_token else None
    rules.enable_truncation(files.context_length)
    rules.enable_padding(direction=settings.get("padding_side", "right"), pad_id=padding, length=files.context_length)
    tidy = get_clean_fn(clean)

    def tokenize(texts: Sequence[str]) -> torch.Tensor:
        encodings = rules.encode_batch([tidy(text) for text in texts])
        tokens = torch.tensor([encoding.ids for encoding in encodings], dtype=torch.long)
        return tokens if separator is None else tokens.masked_fill(tokens == separator, 0)

    return tokenize


def _special_token(rules: Any, settings: dict[str, Any], role: str, usual: tuple[str, ...]) -> int:
    named = settings.get(role)
    named = named["content"] if isinstance(named, dict) else named
    for token in (named, *usual):
        if token is not None and (number := rules.token_to_id(token)) is not None:
            return int(number)
    raise ValueError(f"the tokenizer has no {role}")
