"""Candidates in growing portions: whatever is sieved out, k asked is k given while there are k."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clipsearch.types import Ids

Scores = NDArray[np.float32]
Fetch = Callable[[int], tuple[Scores, Ids]]
"""The n best of all, best first: scores and ids; fewer than n only where there are no more."""
Sieve = Callable[[Ids], NDArray[np.bool_]]
"""Which of the next candidates, in their order, are kept."""

_GROWTH = 4
_BLOCK = 1024


class Kept:
    """The candidates that a sieve keeps, best first, fetched as they are needed.

    The portions grow by a fixed factor from the first, so that a later page, asked by another process, sees the very
    same candidates in the same order, also where `fetch` is approximate and finds other pictures for another n.

    Args:
        fetch: the n best.
        portion: how many to fetch first.
        sieve: which to keep; None keeps all.
        most: the number of kept ones there can be, asked for once and only when the first portion did not suffice.
    """

    def __init__(
        self, fetch: Fetch, portion: int, sieve: Sieve | None = None, most: Callable[[], int] | None = None
    ) -> None:
        self._fetch, self._portion, self._sieve, self._most = fetch, portion, sieve, most
        self._limit = math.inf
        self._fetched = 0
        self._all_fetched = False
        self._seen = self._ids = self._waiting = np.empty(0, np.int64)
        self._scores = self._waiting_scores = np.empty(0, np.float32)

    @property
    def exhausted(self) -> bool:
        """Whether there are no more than those already kept."""
        return len(self._ids) >= self._limit or (self._all_fetched and not len(self._waiting))

    @property
    def count(self) -> int:
        """How many have been kept so far."""
        return len(self._ids)

    def first(self, count: int) -> tuple[Scores, Ids]:
        """Scores and ids of the first `count` that are kept; fewer only where there are no more."""
        while len(self._ids) < count and not self.exhausted:
            if not len(self._waiting):
                if self._fetched and self._most is not None:
                    self._limit, self._most = self._most(), None
                    continue
                self._fetch_more()
            self._sieve_block()
        return self._scores[:count], self._ids[:count]

    def _fetch_more(self) -> None:
        wanted = self._fetched * _GROWTH or self._portion
        scores, ids = self._fetch(wanted)
        new = ~np.isin(ids, self._seen)
        self._waiting_scores, self._waiting = scores[new], ids[new]
        self._seen = np.concatenate([self._seen, self._waiting])
        self._fetched, self._all_fetched = wanted, len(ids) < wanted

    def _sieve_block(self) -> None:
        ids, scores = self._waiting[:_BLOCK], self._waiting_scores[:_BLOCK]
        self._waiting, self._waiting_scores = self._waiting[_BLOCK:], self._waiting_scores[_BLOCK:]
        kept = np.ones(len(ids), bool) if self._sieve is None else self._sieve(ids)
        self._ids = np.concatenate([self._ids, ids[kept]])
        self._scores = np.concatenate([self._scores, scores[kept]])
