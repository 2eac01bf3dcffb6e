"""All spaces of an index opened at once, to look at them or to write them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clipsearch.store.snapshot import Snapshot
from clipsearch.store.spaces import path_of, read_spaces
from clipsearch.store.writer import IndexWriter, locked, writer_of


@dataclass(frozen=True, slots=True)
class SpaceInfo:
    """What a space is.

    Attributes:
        name: what it is called.
        of: what its vectors are of, `pictures` or `captions`.
        model: the name of the model that made them.
        dim: how many numbers a vector has.
        pictures: how many pictures have one.
        weight: its share in answers to queries that name no space; None where it does not answer those.
        main: whether it is the one that metadata is read from.
    """

    name: str
    of: Literal["pictures", "captions"]
    model: str
    dim: int
    pictures: int
    weight: float | None
    main: bool


def list_spaces(index: str | Path) -> tuple[SpaceInfo, ...]:
    """The spaces of an index.

    Raises:
        IndexNotFound: there is no index.
        IndexDamaged: it cannot be read.
    """
    path = Path(index).expanduser().absolute()
    spaces = read_spaces(path)
    weights = dict(spaces.answering)
    found = []
    for space in spaces.spaces:
        with closing(Snapshot(path, space.name)) as snapshot:
            manifest = snapshot.manifest
        model, weight = manifest.model, weights.get(space.name)
        is_main = space == spaces.main
        found.append(SpaceInfo(space.name, space.of, model.name, model.dim, manifest.rows, weight, is_main))
    return tuple(found)


@contextmanager
def every_space(index: Path) -> Iterator[list[IndexWriter]]:
    """Lock an index and open each of its spaces for writing, the main one first.

    Raises:
        IndexNotFound: there is no index.
        IndexBusy: another process is writing to it.
        IndexDamaged: a space cannot be read.
    """
    path = index.expanduser().absolute()
    with locked(path):
        spaces = read_spaces(path)
        others = [space for space in spaces.spaces if space != spaces.main]
        yield [writer_of(path_of(path, space)) for space in (spaces.main, *others)]
