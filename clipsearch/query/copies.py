"""Candidates that show the same picture, for `unique`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipsearch.query.sameness import perceptual_hashes, same_picture
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Ids


class Copies:
    """Says which of some pictures show the same; what it has read of a picture it keeps for the next question.

    Of vectors that were imported without their pictures it cannot tell, so they are copies of nothing.

    Raises, when asked:
        QueryError: a picture has no perceptual hash.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._places: dict[int, int] = {}
        self._vectors = np.empty((0, snapshot.manifest.model.dim), np.float32)
        self._hashes = np.empty(0, np.int64)
        self._seen = np.empty(0, np.bool_)

    def __call__(self, ids: Ids, others: Ids) -> NDArray[np.bool_]:
        """Which of `ids` [n] show the same picture as which of `others` [m], bool [n, m]."""
        mine, theirs = self._of(ids), self._of(others)
        cosines = self._vectors[mine] @ self._vectors[theirs].T
        same = same_picture(cosines, self._hashes[mine][:, None], self._hashes[theirs][None])
        return same & self._seen[mine][:, None] & self._seen[theirs][None]

    def _of(self, ids: Ids) -> NDArray[np.intp]:
        """Places of ids among what has been read, reading what is missing."""
        new = [i for i in ids.tolist() if i not in self._places]
        if new:
            self._places |= {picture: len(self._places) + n for n, picture in enumerate(new)}
            self._vectors = np.concatenate([self._vectors, self._snapshot.vectors_of(new).astype(np.float32)])
            hashes, seen = perceptual_hashes(self._snapshot, new)
            self._hashes = np.concatenate([self._hashes, hashes])
            self._seen = np.concatenate([self._seen, seen])
        return np.array([self._places[i] for i in ids.tolist()], np.intp)
