"""Near-duplicates as stars: a picture to keep, and those that are the same as it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clipsearch.query.best import BEST_FIRST
from clipsearch.query.sameness import SEEN, require_hashes, same_picture
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Ids, Vectors

_BLOCK = 512
"""Pictures whose neighbours are looked for in one go."""

_NEIGHBOURS, _GROWTH, _THOROUGH = 16, 8, 512
"""How many neighbours are looked at first, and how many times more next where the last was still close enough. Above
`_THOROUGH` only while the neighbours added last had a copy among them: with a weak model, thousands of pictures may
be as close as a copy that was made darker."""


@dataclass(frozen=True, slots=True)
class Star:
    """A picture to keep, the ids int64 [n] of those that are the same, and their cosines to it float32 [n]."""

    keep: int
    members: Ids
    cosines: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Ranking:
    """Pictures best first: `ids` and perceptual `hashes`, int64 [n]; `by_id` are the ranks in the order of ids."""

    ids: Ids
    hashes: NDArray[np.int64]
    by_id: NDArray[np.intp]

    def ranks(self, ids: Ids) -> NDArray[np.intp]:
        """Ranks of ids [...] that are among the pictures."""
        return self.by_id[np.searchsorted(self.ids, ids, sorter=self.by_id)]


@dataclass(frozen=True, slots=True)
class _Same:
    """What is the same as one picture: ranks [n] and cosines float32 [n], the nearest first; and whether there may be
    more beyond the `looked_at` nearest neighbours."""

    ranks: NDArray[np.intp]
    cosines: NDArray[np.float32]
    looked_at: int
    more: bool


def near_stars(
    snapshot: Snapshot,
    threshold: float,
    among: Ids | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Star]:
    """Stars of near-duplicates, greedily: the best picture takes all that are the same, then the best of the rest.

    What is best is said by `BEST_FIRST`; pictures that are alone make no star, nor do vectors that were imported
    without their pictures. Memory holds ids, hashes and ranks, about 40 bytes a picture, whatever is found; vectors are
    read block by block.

    Raises:
        QueryError: a picture has no perceptual hash.
    """
    among = _seen(snapshot, among)
    ranking = _ranked(snapshot, among)
    search = _Search(snapshot, ranking, threshold, among)
    taken = np.zeros(len(ranking.ids), dtype=bool)
    for start in range(0, len(taken), _BLOCK):
        block = start + np.flatnonzero(~taken[start : start + _BLOCK])
        for rank, same in zip(block.tolist(), search.same(block), strict=True):
            if not taken[rank]:
                taken[rank] = True
                yield from _star(ranking, rank, search.all_of(rank, same), taken)
        if progress is not None:
            progress(min(start + _BLOCK, len(taken)), len(taken))


def _star(ranking: _Ranking, rank: int, same: _Same, taken: NDArray[np.bool_]) -> Iterator[Star]:
    free = ~taken[same.ranks]
    if free.any():
        members = same.ranks[free]
        taken[members] = True
        yield Star(int(ranking.ids[rank]), ranking.ids[members], same.cosines[free])


def _seen(snapshot: Snapshot, among: Ids | None) -> Ids | None:
    """Those of the ids whose picture somebody has seen; None where that is so of all."""
    seen = snapshot.catalog.matching([SEEN])
    if len(seen) == snapshot.manifest.rows:
        return among
    return seen if among is None else np.intersect1d(among, seen)


def _ranked(snapshot: Snapshot, among: Ids | None) -> _Ranking:
    ids, hashes, missing = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for batch in snapshot.catalog.arrow(f"SELECT id, perceptual_hash FROM pictures ORDER BY {BEST_FIRST}"):
        if among is not None:
            batch = batch.filter(pa.array(np.isin(batch["id"].to_numpy(), among)))
        missing += batch["perceptual_hash"].null_count
        ids.append(batch["id"].to_numpy())
        hashes.append(batch["perceptual_hash"].fill_null(0).to_numpy())
    require_hashes(missing)
    ordered = np.concatenate(ids)
    return _Ranking(ordered, np.concatenate(hashes), np.argsort(ordered))


@dataclass(frozen=True, slots=True)
class _Search:
    """Finds what is the same as given pictures: neighbours by embedding, verified by their perceptual hashes."""

    snapshot: Snapshot
    ranking: _Ranking
    threshold: float
    among: Ids | None

    def same(self, ranks: NDArray[np.intp]) -> list[_Same]:
        """What is the same as each of the pictures, as far as `_THOROUGH` neighbours tell."""
        found: dict[int, _Same] = {}
        pending, neighbours = ranks, _NEIGHBOURS
        while len(pending) and neighbours <= _THOROUGH:
            found |= zip(pending.tolist(), self._among_nearest(pending, neighbours), strict=True)
            pending = np.array([rank for rank in pending.tolist() if found[rank].more], dtype=np.intp)
            neighbours *= _GROWTH
        return [found[rank] for rank in ranks.tolist()]

    def all_of(self, rank: int, same: _Same) -> _Same:
        """What is the same as one picture, looking at ever more neighbours as long as that finds any."""
        before = _Same(same.ranks[:0], same.cosines[:0], 0, True)
        while same.more and len(same.ranks) > len(before.ranks):
            before = same
            [same] = self._among_nearest(np.array([rank]), same.looked_at * _GROWTH)
        return same

    def _among_nearest(self, ranks: NDArray[np.intp], neighbours: int) -> list[_Same]:
        nearest = self.snapshot.alike(self._vectors(ranks), neighbours, among=self.among)
        others = self.ranking.ranks(nearest.ids)
        hashes = self.ranking.hashes
        same = same_picture(nearest.scores, hashes[ranks][:, None], hashes[others], threshold=self.threshold)
        same &= others != ranks[:, None]
        full = nearest.ids.shape[1] == neighbours < len(self.ranking.ids)
        more = full & (nearest.scores[:, -1] >= self.threshold) if full else np.zeros(len(ranks), dtype=bool)
        return [
            _Same(others[i, kept], nearest.scores[i, kept], neighbours, bool(more[i])) for i, kept in enumerate(same)
        ]

    def _vectors(self, ranks: NDArray[np.intp]) -> Vectors:
        vectors = self.snapshot.vectors_of(self.ranking.ids[ranks]).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors
