"""Which index serves a collection: by its size, by the memory there is, and what it then costs.

Exact search over float16 vectors takes about 0.08 ns a number and thread, so it stays under three milliseconds up to
some ten thousand pictures. Above that an inverted file with product-quantised codes of four bits (Jegou et al. 2011,
looked up in registers as by André et al. 2015) finds candidates, which are then scored exactly. A code for every two
dimensions needs a fifth of the candidates that one for every four needs for queries by text, at twice the memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from clipsearch.errors import UsageError

RecipeName = Literal["exact", "ivf-pq2", "ivf-pq4"]

EXACT_NUMBERS = 1 << 25
"""Vectors times dimensions up to which exact search is quick: 65,536 vectors of 512."""

TAIL_SHARE, TAIL_LEAST, TAIL_MOST = 0.02, 16_384, 32_768
"""New vectors are searched exactly beside a trained index until they are this share of it, within these bounds."""

_MOST_LISTS = 32_768
"""Their training sample, and the time it takes to lay them out, stay bounded."""

OUTGROWN, HOLLOW = 2.0, 0.3
"""An index is trained anew once the collection is this many times what it was trained on, or this share of its codes
belongs to pictures that are gone."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a user asks of an index: recall among the ten nearest (0..1), and a memory budget in bytes."""

    recall: float = 0.98
    memory: int | None = None

    def changed(self, recall: float | None, memory: int | None) -> Tuning:
        """This with what is given.

        Raises:
            UsageError: it makes no sense.
        """
        if recall is not None and not 0.5 <= recall <= 1:
            raise UsageError(f"A recall of {recall} cannot be had; ask for one from 0.5 to 1.")
        if memory is not None and memory < 1:
            raise UsageError("The memory budget must be at least 1 byte.")
        return Tuning(self.recall if recall is None else recall, self.memory if memory is None else memory)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """How a trained index finds the `k` nearest: how many lists it looks at, and how many candidates are scored
    exactly. Lists whose centre scores lower than the tenth nearest centre by more than `reach` are passed over: a
    query amid its like needs few lists, one between clusters many. `recalls` are those measured for picture-like and
    for text-like queries, if they were."""

    k: int
    probes: int
    candidates: int
    recalls: tuple[float, ...] = ()
    reach: float | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A kind of trained index: how many codes of four bits a vector has."""

    name: RecipeName
    codes: int

    @property
    def code_bytes(self) -> int:
        """Bytes a vector takes beside its id."""
        return math.ceil(self.codes / 2)


def recipe_named(name: RecipeName, dim: int) -> Recipe:
    """The trained recipe of that name for vectors of `dim` numbers."""
    return Recipe(name, dim // 4 if name == "ivf-pq4" else dim // 2)


def lists_for(rows: int) -> int:
    """How many lists an inverted file has: the power of two nearest 2 sqrt(rows), within bounds.

    FAISS's guidelines have 4 to 16 sqrt(rows). Twice as many as these find the same in the same time (measured at a
    million rows), but are slower to lay out.
    """
    return max(16, min(_MOST_LISTS, int(2 ** round(math.log2(2 * math.sqrt(rows))))))


def memory_of(name: RecipeName, rows: int, dim: int) -> int:
    """Bytes that searching keeps in memory once warm, mapped pages included; stored vectors that are scored again are
    read from the disk's cache and not counted."""
    if name == "exact":
        return rows * (2 * dim + 8)
    centroids = lists_for(rows) * dim * 4
    return rows * (recipe_named(name, dim).code_bytes + 16) + centroids


def choose(rows: int, dim: int, tuning: Tuning, *, trained: bool = False) -> RecipeName:
    """The recipe for a collection: exact while that is quick and fits, else the best trained one that fits.

    A collection that has a `trained` index keeps one until it is half as large, so that it does not go back and forth.
    """
    budget = math.inf if tuning.memory is None else tuning.memory
    quick = EXACT_NUMBERS // 2 if trained else EXACT_NUMBERS
    if dim % 4:  # which no CLIP model has, and codes need
        return "exact"
    if rows * dim <= quick and memory_of("exact", rows, dim) <= budget:
        return "exact"
    return "ivf-pq2" if memory_of("ivf-pq2", rows, dim) <= budget else "ivf-pq4"


def longest_tail(rows: int) -> int:
    """How many new vectors may wait beside a trained index of `rows` before they are added to it."""
    return int(min(max(rows * TAIL_SHARE, TAIL_LEAST), TAIL_MOST))


def operating_point(points: Sequence[OperatingPoint], k: int) -> OperatingPoint:
    """What to do for any `k`: between two tuned depths on the line through them in logarithms, and beyond the last one
    in proportion."""
    first, last = points[0], points[-1]
    if k <= first.k:
        return first
    if k == last.k:
        return last
    if k > last.k:
        ratio = k / last.k
        return OperatingPoint(k, math.ceil(last.probes * ratio), math.ceil(last.candidates * ratio))
    upper = next(i for i, point in enumerate(points) if point.k >= k)
    low, high = points[upper - 1], points[upper]
    if k == high.k:
        return high
    share = math.log(k / low.k) / math.log(high.k / low.k)
    probes, candidates = _between(low.probes, high.probes, share), _between(low.candidates, high.candidates, share)
    reaches = (low.reach, high.reach)
    reach = None if None in reaches else max(r for r in reaches if r is not None)
    return OperatingPoint(k, probes, candidates, reach=reach)


def _between(low: int, high: int, share: float) -> int:
    return math.ceil(low * math.pow(high / low, share))
