"""Values of any type as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

import numpy as np

from clipsearch_ui.text import size

_CLAMPED = 240
"""Letters that are shown of a long text at first."""


def in_words(value: object) -> str:
    """A value of a column as text; empty where there is none."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return _number(value)
        case bytes():
            return size(len(value))
        case datetime():
            return moment(value)
        case Mapping():
            return "; ".join(f"{name}: {_inner(part)}" for name, part in value.items() if in_words(part))
        case Sequence() if not isinstance(value, str):
            return ", ".join(words for part in value if (words := _inner(part)))
        case _:
            return str(value).strip()


def moment(value: datetime) -> str:
    """A point in time to the second."""
    return value.isoformat(" ", "seconds")


def clamped(text: str) -> str:
    """Text as HTML; a long one opens at a click."""
    if len(text) <= 1.25 * _CLAMPED:
        return escape(text)
    start = text[:_CLAMPED].rpartition(" ")[0] or text[:_CLAMPED]
    shown = f'<span class="start">{escape(start)} … </span><span class="more"></span>'
    return f'<details class="long"><summary>{shown}</summary>{escape(text)}</details>'


def _inner(value: object) -> str:
    nested = isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str | bytes))
    words = in_words(value)
    return f"({words})" if nested and words else words


def _number(value: float) -> str:
    """The shortest text that means the number, also of one that was stored in 32 bits."""
    if not math.isfinite(value):
        return ""
    with np.errstate(over="ignore"):
        single = np.float32(value)
    return str(single) if float(single) == value else str(value)
