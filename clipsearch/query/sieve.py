"""Which candidates are kept: not excluded, one of each group, and no picture twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from clipsearch.types import Ids

Exclusion = Callable[[Ids], NDArray[np.bool_]]
"""Which candidates are excluded, whatever else is kept."""
Groups = Callable[[Ids], Sequence[Hashable]]
"""The group of each candidate."""
Duplicates = Callable[[Ids, Ids], NDArray[np.bool_]]
"""Which of the candidates [n] show the same picture as which others [m], bool [n, m]."""


class OneOfEach:
    """Keeps a candidate unless it is excluded, of a group already kept, or the same picture as one already kept.

    Candidates come best first, so what is kept of a group, or of several copies, is its best. A candidate that is
    dropped drops nothing itself: what it stood for may come again.
    """

    def __init__(
        self, excluded: Exclusion | None = None, groups: Groups | None = None, same: Duplicates | None = None
    ) -> None:
        self._excluded, self._groups, self._same = excluded, groups, same
        self._kept_groups: set[Hashable] = set()
        self._kept = np.empty(0, np.int64)

    def __call__(self, ids: Ids) -> NDArray[np.bool_]:
        """Which of the next candidates are kept, bool [n]."""
        kept = np.ones(len(ids), bool) if self._excluded is None else ~self._excluded(ids)
        if self._groups is None and self._same is None:
            return kept
        open_places = np.flatnonzero(kept)
        kept[open_places] = self._one_by_one(ids[open_places])
        self._kept = np.concatenate([self._kept, ids[kept]])
        return kept

    def _one_by_one(self, ids: Ids) -> NDArray[np.bool_]:
        groups = None if self._groups is None else self._groups(ids)
        copies, among = np.zeros(len(ids), bool), None
        if self._same is not None:
            copies |= self._same(ids, self._kept).any(axis=1)
            among = self._same(ids, ids)
        kept = np.zeros(len(ids), bool)
        for place in range(len(ids)):
            if copies[place] or (groups is not None and groups[place] in self._kept_groups):
                continue
            kept[place] = True
            if groups is not None:
                self._kept_groups.add(groups[place])
            if among is not None:
                copies |= among[:, place]
        return kept
