"""How far a trained index has to look for a wanted recall, found by trying on queries whose answers are known.

Pictures that resemble pictures of the index lie inside its distribution; texts lie outside of it and need more probes.
Both kinds are tried, and what suffices for the harder one is kept, for the ten, hundred and thousand nearest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clipsearch.ann.recipes import OperatingPoint
from clipsearch.ann.trained import TrainedIndex, gaps
from clipsearch.types import Ids, Vectors

DEPTHS = (10, 100, 1000)

_MARGIN = 0.002
"""Recall is measured on a few hundred queries, so a little more is asked for than wanted."""

_MOST_CANDIDATES = 4096
_FINELY = 2**0.25
"""Ratio of one number tried to the next."""

_NOTHING_GAINED, _PATIENCE = 0.001, 4
"""More probes are given up once so many steps have brought no more recall than this."""
_AT_MOST = 1.5
"""Lists looked at where centres lie close together, as a multiple of what suffices when every query gets as many."""

_SHARES = np.linspace(0.1, 0.9, 33)
"""Reaches tried: those that so great a part of these lists lies within."""

_CARE = 0.008
"""Recall of stored pictures asked for beyond the wanted one while a reach is chosen, which they decide: new ones are
found somewhat less easily."""

_FINER = 2**0.0625
"""Ratio of one number of lists tried to the next once there is a reach."""

_SCORING = 60
"""What scoring a candidate exactly costs, in codes looked at (measured, 512 dimensions)."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Queries float32 [m, dim] with the ids of their true nearest, best first, int64 [m, depth].

    `themselves`, int64 [m], are queries' own ids where they are stored vectors: no answer to themselves.
    """

    queries: Vectors
    truth: Ids
    themselves: Ids | None = None


def tune(index: TrainedIndex, trials: Sequence[Trial], rows: int, recall: float) -> tuple[OperatingPoint, ...]:
    """The cheapest operating point for each depth that reaches `recall` in every trial, or the best there is."""
    depths = [k for k in DEPTHS if k == DEPTHS[0] or k <= rows // 4]
    tried: dict[int, list[OperatingPoint]] = {k: [] for k in depths}
    wanted = recall + _MARGIN
    codes_a_list = rows / index.list_count
    for probes in _steps(8, index.list_count):
        point = OperatingPoint(depths[-1], probes, _MOST_CANDIDATES)
        ranks = [_ranks(_candidates(index, trial, point, _MOST_CANDIDATES), trial.truth) for trial in trials]
        for k in depths:
            tried[k].append(_fewest_candidates(k, probes, ranks, wanted))
        if all(_settled(points, wanted) for points in tried.values()):
            break
    return tuple(_narrowed(index, trials, _choose(tried[k], codes_a_list, wanted), wanted) for k in depths)


def _settled(points: Sequence[OperatingPoint], wanted: float) -> bool:
    """Whether more probes are of no use: they have saved no candidates, or have brought nothing more."""
    if len(points) <= _PATIENCE:
        return False
    before, now = points[-1 - _PATIENCE], points[-1]
    if min(before.recalls) >= wanted:
        return True
    return min(now.recalls) < wanted and min(now.recalls) - min(before.recalls) < _NOTHING_GAINED


def _choose(points: Sequence[OperatingPoint], codes_a_list: float, wanted: float) -> OperatingPoint:
    enough = [point for point in points if min(point.recalls) >= wanted]
    if not enough:
        return max(points, key=lambda point: min(point.recalls))
    return min(enough, key=lambda point: point.probes * codes_a_list + point.candidates * _SCORING)


def _narrowed(index: TrainedIndex, trials: Sequence[Trial], point: OperatingPoint, wanted: float) -> OperatingPoint:
    """The least reach that finds enough in more lists than the `point` has, then the fewest lists it finds it in; the
    `point` as it is where no reach does."""
    most = min(index.list_count, math.ceil(point.probes * _AT_MOST))
    distances = np.sort(np.concatenate([gaps(index.centre_scores(t.queries, most)).ravel() for t in trials]))
    reaches = [float(distances[round(share * (len(distances) - 1))]) for share in _SHARES]
    wide = replace(point, probes=most)
    within = _first(index, trials, [replace(wide, reach=reach) for reach in reaches], wanted)
    if within is None:
        return point
    fewer = [n for n in _steps(math.ceil(point.probes / 2), most, _FINER) if n < most]
    return _first(index, trials, [replace(within, probes=n) for n in fewer], wanted) or within


def _first(
    index: TrainedIndex, trials: Sequence[Trial], points: Sequence[OperatingPoint], wanted: float
) -> OperatingPoint | None:
    """The first of ever more expensive points that finds enough, by bisection."""
    best, low, high = None, 0, len(points)
    while low < high:
        middle = (low + high) // 2
        recalls = tuple(_recall(index, trial, points[middle]) for trial in trials)
        cares = [_CARE if trial.themselves is not None else 0 for trial in trials]
        if all(recall >= wanted + care for recall, care in zip(recalls, cares, strict=True)):
            best, high = replace(points[middle], recalls=recalls), middle
        else:
            low = middle + 1
    return best


def _recall(index: TrainedIndex, trial: Trial, point: OperatingPoint) -> float:
    found = _candidates(index, trial, point, point.candidates + (trial.themselves is not None))
    return float((_ranks(found, trial.truth)[:, : point.k] < len(found[0])).mean())


def _fewest_candidates(k: int, probes: int, ranks: Sequence[NDArray[np.int64]], wanted: float) -> OperatingPoint:
    """The fewest candidates that reach the recall with so many probes; the most there are where none do."""
    for candidates in _steps(2 * k, _MOST_CANDIDATES):
        recalls = tuple(float((r[:, :k] < candidates).mean()) for r in ranks)
        if min(recalls) >= wanted:
            break
    return OperatingPoint(k, probes, candidates, recalls)


def _steps(first: int, last: int, ratio: float = _FINELY) -> list[int]:
    """Numbers from `first` to `last`, both included, each about `ratio` times the one before."""
    count = max(0, math.ceil(math.log(max(1, last / first)) / math.log(ratio)))
    return [*dict.fromkeys(round(first * ratio**i) for i in range(count)), last]


def _candidates(index: TrainedIndex, trial: Trial, point: OperatingPoint, count: int) -> Ids:
    found = index.candidates(trial.queries, count, point)
    if trial.themselves is not None:
        found[found == trial.themselves[:, None]] = -1
    return found


def _ranks(candidates: Ids, truth: Ids) -> NDArray[np.int64]:
    """Where among its query's candidates each true id stands, int64 of truth's shape; beyond all where it is not."""
    ranks = np.full(truth.shape, np.iinfo(np.int64).max)
    columns = np.argsort(truth, axis=1)  # of the truth, since it is the shorter of the two
    for row, found in enumerate(candidates):
        wanted = truth[row, columns[row]]
        place = np.minimum(np.searchsorted(wanted, found), len(wanted) - 1)
        [hits] = np.nonzero(wanted[place] == found)
        ranks[row, columns[row, place[hits]]] = hits
    return ranks
