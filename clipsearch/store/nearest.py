"""What the search engine answers: vectors' ids with their scores, and how they were found."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from clipsearch.types import Ids, Vectors


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


@dataclass(slots=True)
class Steps:
    """The steps of a search with their milliseconds, and how many vectors were scored exactly."""

    times: list[tuple[str, float]] = field(default_factory=list)
    scored: int = 0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        begun = time.perf_counter()
        yield
        self.times.append((name, (time.perf_counter() - begun) * 1000))

    def plan(self, name: str, survivors: int | None = None) -> Plan:
        """The plan as done."""
        return Plan(name, survivors, self.scored, tuple(self.times))
