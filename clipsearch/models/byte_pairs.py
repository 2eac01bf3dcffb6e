"""The byte-pair tokenizer of OpenAI's CLIP (Radford et al. 2021, section 2.4; Sennrich et al. 2016, "Neural Machine
Translation of Rare Words with Subword Units").

The same tokens as `open_clip.tokenizer.SimpleTokenizer`, which imports torch and takes a second to be ready.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clipsearch.models.cleaning import Clean

_MOST_MERGES = 49_152 - 256 - 2
_START, _END = "<start_of_text>", "<end_of_text>"
_WORDS = rf"{_START}|{_END}|'s|'t|'re|'ve|'m|'ll|'d|[{{letter}}]+|[{{digit}}]|[^\s{{letter}}{{digit}}]+"


class BytePairs:
    """Cuts texts into tokens.

    Args:
        vocabulary: merges in the order they were learnt, one a line after a first line, gzipped.
        context_length: texts are cut off after, and padded with 0 to, as many tokens.
        clean: what happens to a text before.
    """

    def __init__(self, vocabulary: Path, context_length: int, clean: Clean) -> None:
        with gzip.open(vocabulary) as file:
            learnt = file.read().decode("utf-8")
        merges, merged = (text.split("\n")[1 : _MOST_MERGES + 1] for text in (learnt, learnt.replace(" ", "")))
        letters = list(_letter_of_byte().values())
        pieces = [*letters, *(f"{letter}</w>" for letter in letters), *merged, _START, _END]
        self._token = dict(zip(pieces, range(len(pieces)), strict=True))
        self._rank = dict(zip(merges, range(len(merges)), strict=True))
        self._start, self._end = self._token[_START], self._token[_END]
        self._length, self._clean = context_length, clean
        self._known: dict[str, list[int]] = {_START: [self._start], _END: [self._end]}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Tokens of texts, int64 [n, context_length]."""
        tokens = np.zeros((len(texts), self._length), np.int64)
        for row, text in zip(tokens, texts, strict=True):
            found = [self._start, *self._words(self._clean(text))][: self._length - 1]
            row[: len(found) + 1] = [*found, self._end]
        return tokens

    def _words(self, text: str) -> list[int]:
        spelt = _letter_of_byte()
        words = ("".join(spelt[byte] for byte in word.encode("utf-8")) for word in _find_words(text))
        return [token for word in words for token in self._pieces(word)]

    def _pieces(self, word: str) -> list[int]:
        """Tokens of one word: of all neighbours that were ever merged, the first learnt are, until none is left."""
        if word not in self._known:
            pieces = [*word[:-1], f"{word[-1]}</w>"]
            while best := self._first_learnt(pieces):
                pieces = _merged(pieces, best)
            self._known[word] = [self._token[piece] for piece in pieces]
        return self._known[word]

    def _first_learnt(self, pieces: list[str]) -> str | None:
        learnt = {f"{a} {b}" for a, b in pairwise(pieces)} & self._rank.keys()
        return min(learnt, key=self._rank.__getitem__, default=None)


def _merged(pieces: list[str], pair: str) -> list[str]:
    """Every occurrence of a pair joined, from the left."""
    result: list[str] = []
    follows = False
    for piece, after in zip(pieces, [*pieces[1:], ""], strict=True):
        if follows:
            follows = False
            continue
        follows = f"{piece} {after}" == pair
        result.append(piece + after if follows else piece)
    return result


def _find_words(text: str) -> list[str]:
    if text.isascii():
        return _ascii_words().findall(text)
    import regex  # knows every script's letters, and takes a while to import

    words: list[str] = regex.findall(_WORDS.format(letter=r"\p{L}", digit=r"\p{N}"), text, regex.IGNORECASE)
    return words


@lru_cache(maxsize=1)
def _ascii_words() -> re.Pattern[str]:
    return re.compile(_WORDS.format(letter="a-zA-Z", digit="0-9"), re.IGNORECASE)


@lru_cache(maxsize=1)
def _letter_of_byte() -> dict[int, str]:
    """A visible character for each byte, in the order of GPT-2's vocabulary: those that have one, then the rest."""
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in set(visible)]
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + place) for place, byte in enumerate(others)}
