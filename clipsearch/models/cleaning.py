"""Text as a tokenizer wants it: what `open_clip.tokenizer` does before it looks for words, without the torch that
importing it brings along."""

from __future__ import annotations

import html
import string
from collections.abc import Callable

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)

Clean = Callable[[str], str]
"""A text as somebody wrote it to the text that is cut into tokens."""


def cleaning(kind: str) -> Clean:
    """Return open_clip's function of this name: `lower`, `whitespace` or `canonicalize`; KeyError for any other."""
    return {"lower": _lower, "whitespace": _whitespace, "canonicalize": _canonical}[kind]


def _lower(text: str) -> str:
    return _whitespace(text).lower()


def _whitespace(text: str) -> str:
    return " ".join(_basic(text).split())


def _canonical(text: str) -> str:
    """As SigLIP was trained: no punctuation, lower case (Zhai et al. 2023, big_vision's `canonicalize_text`)."""
    return " ".join(_basic(text).replace("_", " ").translate(_NO_PUNCTUATION).lower().split())


def _basic(text: str) -> str:
    """Mend broken encodings, and read HTML entities, which may have been written twice over."""
    if "&" in text or not (text.isascii() and text.isprintable()):
        import ftfy  # a tenth of a second to import, and nothing to mend in what most people type

        text = ftfy.fix_text(text)
    return html.unescape(html.unescape(text)).strip()
