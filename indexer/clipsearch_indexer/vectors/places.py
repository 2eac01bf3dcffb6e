"""Where the picture of a row is: what a table says of it as a place on this machine, and as a root and a path in it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from clipsearch.names import from_stored, to_stored
from clipsearch.pictures.parquet import SHARD_SUFFIXES
from clipsearch.store.manifest import Root
from clipsearch_indexer.roots import new_root
from clipsearch_indexer.vectors.compare import Comparison

_ROW = re.compile(r"(?P<shard>.+)#(?P<row_group>\d+)/(?P<row>\d+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture is, relative to its root, as the index stores it: in a `file`, or in the `row` of a row group of
    a Parquet `shard`."""

    path: str
    file: str | None = None
    shard: str | None = None
    row_group: int | None = None
    row: int | None = None


def place_of(path: str) -> Place:
    """A stored path as a place: `<Parquet file>#<row group>/<row>`, or a file."""
    found = _ROW.fullmatch(path)
    if found is None or Path(found["shard"]).suffix.lower() not in SHARD_SUFFIXES:
        return Place(path, file=path)
    return Place(path, shard=found["shard"], row_group=int(found["row_group"]), row=int(found["row"]))


def absolute(path: str, base: Path) -> str:
    """A path of a table, relative to `base` where it is not absolute, as a stored absolute one with slashes."""
    joined = os.path.normpath(os.path.join(base, from_stored(path)))  # noqa: PTH118 - a hundred million of them
    return to_stored(joined if os.sep == "/" else joined.replace(os.sep, "/"))


def as_prefix(folder: Path) -> str:
    """What every absolute place in a folder begins with."""
    return to_stored(folder.as_posix()).rstrip("/") + "/"


def roots_for(comparison: Comparison, roots: Mapping[str, Root], base: Path, index: Path) -> dict[str, Root]:
    """The roots of an index, and those it needs for all that was added to a comparison.

    What lies in no root yet gets `base` where it is inside of that, else the deepest folder that holds all the rest.
    """
    found = dict(roots)
    known = [as_prefix(root.resolve(index)) for root in roots.values()]
    if comparison.first_and_last(as_prefix(base), without=known):
        root = new_root(found, base, index)
        found[root.alias] = root
        known.append(as_prefix(base))
    rest = comparison.first_and_last(without=known)
    if rest:
        root = new_root(found, _common_folder(*rest), index)
        found[root.alias] = root
    return found


def _common_folder(first: str, last: str) -> Path:
    places = (place_of(from_stored(place)) for place in (first, last))
    folders = [Path(place.file or place.shard or place.path).parent for place in places]
    return Path(os.path.commonpath(folders))
