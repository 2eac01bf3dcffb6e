"""What the search engine answers: vectors' ids with their scores, and how they were found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipsearch.types import Vectors

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a search was done: the plan's `name`, how many pictures passed the filter (None without one), how many
    were scored against the query exactly, and the steps with their milliseconds."""

    name: str
    survivors: int | None
    candidates: int
    steps: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest vectors of each query, best first: inner products float32 [n, k] and ids int64 [n, k]."""

    scores: Vectors
    ids: Ids
    plan: Plan
