"""The map of the collection, kept beside the index by whoever looked at it first.

It belongs to no version: an id always means one vector, so a picture stays where it was put as long as the frame stays.
Nothing in it is there only once; it may be deleted at any time.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clipsearch.projection.frame import Frame
from clipsearch.projection.principal import Plane

MAP = "map.npz"
_DRAFT, _LOCK = "map.draft", "map.lock"


@dataclass(frozen=True, slots=True, eq=False)
class KeptMap:
    """A frame and the pictures in it.

    Attributes:
        frame: landmarks and where they lie.
        points: where pictures lie by id, float32 [next_id, 2]; NaN for ids that were none when it was made.
        rows, next_id: the index when the frame was laid out.
    """

    frame: Frame
    points: Plane
    rows: int
    next_id: int


def read_map(index: Path, fingerprint: str) -> KeptMap | None:
    """The map kept in an index directory; None where there is none of this model, or none that can be read."""
    try:
        with np.load(index / MAP, allow_pickle=False) as file:
            if str(file["fingerprint"]) != fingerprint:
                return None
            rows, next_id = (int(count) for count in file["counts"])
            return KeptMap(Frame(file["landmarks"], file["landmark_points"]), file["points"], rows, next_id)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def write_map(index: Path, fingerprint: str, kept: KeptMap) -> None:
    """Keep a map in place of any other; where the folder cannot be written to, nothing is kept."""
    with suppress(OSError):
        draft = index / _DRAFT
        with draft.open("wb") as file:
            np.savez(
                file,
                landmarks=kept.frame.landmarks,
                landmark_points=kept.frame.points,
                points=kept.points,
                counts=np.array([kept.rows, kept.next_id]),
                fingerprint=fingerprint,
            )
        draft.replace(index / MAP)


@contextmanager
def one_maker(index: Path) -> Iterator[None]:
    """Wait until nobody else makes the map of this index, then keep others waiting."""
    from filelock import FileLock

    lock = FileLock(index / _LOCK)
    with suppress(OSError):  # a folder that cannot be written to: everybody makes their own
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
