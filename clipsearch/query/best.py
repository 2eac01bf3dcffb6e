"""Which of several copies of a picture one would rather keep: as SQL, and in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from clipsearch.types import Because

BEST_FIRST = (
    "width::BIGINT * height DESC NULLS LAST, floor(log2(greatest(sharpness, 1))) DESC NULLS LAST, "
    "mtime_ns NULLS LAST, id"
)
"""SQL order of pictures by which of them one would rather keep."""


def why_best(rows: Sequence[Mapping[str, Any]]) -> Because:
    """What it took for the first of these rows of `images`, which are in the order of `BEST_FIRST`, to be the first."""
    best, *rivals = rows
    for because, worth in _CRITERIA:
        rivals = [row for row in rivals if worth(row) == worth(best)]
        if not rivals:
            return because
    return "order"


def _pixels(row: Mapping[str, Any]) -> int:
    width, height = row["width"], row["height"]
    return -1 if width is None or height is None else width * height


def _sharpness(row: Mapping[str, Any]) -> int:
    return -1 if row["sharpness"] is None else math.floor(math.log2(max(row["sharpness"], 1)))


def _age(row: Mapping[str, Any]) -> datetime:
    return row["mtime"] or datetime.max


_CRITERIA: tuple[tuple[Because, Callable[[Mapping[str, Any]], object]], ...] = (
    ("pixels", _pixels),
    ("sharpness", _sharpness),
    ("age", _age),
)
