"""The map of the collection: every picture as a point on a plane, pictures that resemble one another side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from clipsearch.projection.frame import LANDMARKS, lay_out, place
from clipsearch.projection.principal import Plane
from clipsearch.store.map_file import KeptMap, one_maker, read_map, write_map
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Ids, Tell

_CHANGED = 0.25
"""The map is laid out anew once this share of the pictures has come or gone."""


@dataclass(frozen=True, slots=True, eq=False)
class MapPoints:
    """Pictures on a plane: ids int64 [n], ascending, and points float32 [n, 2] in -1..1."""

    ids: Ids
    xy: Plane


def map_of(snapshot: Snapshot, tell: Tell) -> MapPoints:
    """Where each picture of a version lies on the map of its index.

    Up to `LANDMARKS` pictures are laid out together (`clipsearch.projection.embedding`), the others between those they
    resemble most. The result is kept beside the index: new pictures find their place in it and the old ones stay, until
    so many have changed that all is laid out anew, starting from where they were.
    """
    ids = snapshot.places.ids()
    if not len(ids):
        return MapPoints(ids, np.empty((0, 2), np.float32))
    index, fingerprint = snapshot.layout.path, snapshot.manifest.model.fingerprint
    kept = read_map(index, fingerprint)
    if kept is None or _is_due(kept, snapshot) or len(_missing(kept, ids)):
        with one_maker(index):
            kept = _made(snapshot, ids, read_map(index, fingerprint), tell)
            write_map(index, fingerprint, kept)
    return MapPoints(ids, kept.frame.unit(kept.points[ids]))


def _made(snapshot: Snapshot, ids: Ids, kept: KeptMap | None, tell: Tell) -> KeptMap:
    """A map that has all of `ids`: the one that is kept and what it lacks, or a new one."""
    if kept is None or _is_due(kept, snapshot):
        kept = _laid_out(snapshot, ids, kept, tell)
    missing = _missing(kept, ids)
    points = np.full((max(len(kept.points), int(ids[-1]) + 1), 2), np.nan, np.float32)
    points[: len(kept.points)] = kept.points
    done = 0
    for block, found in place(kept.frame, snapshot.places.blocks(missing), len(missing)):
        points[block] = found
        done += len(block)
        tell("placing", done, len(missing))
    return replace(kept, points=points)


def _laid_out(snapshot: Snapshot, ids: Ids, before: KeptMap | None, tell: Tell) -> KeptMap:
    """A new frame with its landmarks, drawn uniformly with a fixed seed, and no other picture."""
    chosen = ids
    if len(ids) > LANDMARKS:
        chosen = np.sort(np.random.default_rng(0).choice(ids, LANDMARKS, replace=False))
    start = None
    if before is not None:
        start = _made(snapshot, chosen, replace(before, rows=len(ids), next_id=snapshot.manifest.next_id), tell)
    frame = lay_out(snapshot.vectors_of(chosen), None if start is None else start.points[chosen], tell)
    points = np.full((int(ids[-1]) + 1, 2), np.nan, np.float32)
    points[chosen] = frame.points
    return KeptMap(frame, points, len(ids), snapshot.manifest.next_id)


def _is_due(kept: KeptMap, snapshot: Snapshot) -> bool:
    added = snapshot.manifest.next_id - kept.next_id
    removed = kept.rows + added - snapshot.manifest.rows
    return added + removed > _CHANGED * kept.rows


def _missing(kept: KeptMap, ids: Ids) -> Ids:
    """Ids that have no point yet."""
    known = ids[ids < len(kept.points)]
    return np.concatenate([known[np.isnan(kept.points[known, 0])], ids[ids >= len(kept.points)]])
