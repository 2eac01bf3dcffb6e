"""Which spaces of an index answer: from one model to another while searches go on, and without the old one after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

import numpy as np
import pyarrow as pa

from clipsearch.errors import UsageError
from clipsearch.store.computed import put_columns, read_computed
from clipsearch.store.garbage import collect_dropped
from clipsearch.store.places import Places
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.spaces import Space, Spaces, path_of, read_spaces, write_spaces
from clipsearch.store.writer import IndexWriter, locked, writer_of


@dataclass(frozen=True, slots=True)
class SwitchReport:
    """What a switch changed.

    Attributes:
        answering: the spaces that answer now, with their weights, the main one first.
        lacking: how many pictures of the main space before are not in the main space now. They are not found until an
            indexing run embeds them.
        carried: sets of computed columns whose values the new main space took over. They are not computed for pictures
            that come later, since what they were computed from was another model's vectors.
        left: sets it could not take over, because a column of that name is there.
    """

    answering: tuple[tuple[str, float], ...]
    lacking: int = 0
    carried: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def switch_spaces(index: str | Path, answering: str | Mapping[str, float]) -> SwitchReport:
    """Say which spaces of an index answer queries that name none. Readers follow with their next `refresh`.

    Args:
        index: the index directory.
        answering: the name of a space; or names with weights, of which the first becomes the main space, whose catalog
            filters and metadata are read from.

    Raises:
        IndexNotFound: there is no index.
        IndexBusy: another process is writing to it.
        QueryError: there is no such space.
        UsageError: none is named, one has no pictures, or a weight is not above 0.
    """
    path = Path(index).expanduser().absolute()
    wanted = {answering: 1.0} if isinstance(answering, str) else dict(answering)
    with locked(path):
        before = read_spaces(path)
        after = replace(before, answering=_checked(before, wanted))
        report = SwitchReport(after.answering)
        if after.main != before.main:
            report = _take_over(path, before.main, after)
        if after != before:
            write_spaces(path, after)
    return report


def drop_space(index: str | Path, name: str) -> None:
    """Take a space out of an index. No file of another space is touched, and who has it open reads on.

    Raises:
        IndexNotFound: there is no index.
        IndexBusy: another process is writing to it.
        QueryError: there is no such space.
        UsageError: it is the main space.
    """
    path = Path(index).expanduser().absolute()
    with locked(path):
        before = read_spaces(path)
        space = before.named(name)
        if space == before.main:
            raise UsageError(
                f"{space.name} is the main space, which the metadata is read from; make another one that first, with "
                f"`clipsearch spaces switch {path} NAME`."
            )
        others = tuple(other for other in before.spaces if other != space)
        answering = tuple((name, weight) for name, weight in before.answering if name != space.name)
        write_spaces(path, Spaces(others, answering))
        collect_dropped(path)


def _checked(spaces: Spaces, wanted: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    if not wanted:
        raise UsageError(f"Name a space to answer: {', '.join(spaces.names)}.")
    found: dict[str, float] = {}
    for name, weight in wanted.items():
        space = spaces.named(name)
        if space.of != "pictures":
            raise UsageError(f"{space.name} has vectors of {space.of}; only spaces of pictures answer by themselves.")
        if not isfinite(weight) or weight <= 0:
            raise UsageError(f"The weight of {space.name} is {weight:g}; give a number above 0.")
        if space.name in found:
            raise UsageError(f"{space.name} is named twice; give it one weight.")
        found[space.name] = float(weight)
    return tuple(found.items())


def _take_over(index: Path, before: Space, after: Spaces) -> SwitchReport:
    """Give the new main space what only the old one has: the count of ids and versions, and computed columns."""
    with closing(Snapshot(index, before.name)) as old:
        writer = writer_of(path_of(index, after.main))
        writer.go_on_from(old.manifest)
        writer.publish()
        own = {ref.name for ref in writer.manifest.computed}
        missing = [ref.name for ref in old.manifest.computed if ref.name not in own]
        carried = [name for name in missing if _carry(old, writer, name)]
        writer.publish()
        with closing(Snapshot(index, after.main.name)) as new:
            lacking = int((~new.places.exist(old.places.ids())).sum())
    left = tuple(name for name in missing if name not in carried)
    return SwitchReport(after.answering, lacking, tuple(carried), left)


def _carry(old: Snapshot, writer: IndexWriter, name: str) -> bool:
    """Put a set of computed columns of another space into a space; says whether its names are free there."""
    [ref] = [ref for ref in old.manifest.computed if ref.name == name]
    computed = read_computed(old.layout.path / ref.file.name)
    try:
        # Without its recipe, which holds for the other model's vectors only.
        put_columns(writer, name, _held(computed.tables(), writer))
    except UsageError:
        return False
    return True


def _held(tables: Iterable[pa.Table], writer: IndexWriter) -> Iterator[pa.Table]:
    """The rows of pictures that the space has."""
    manifest = writer.manifest
    segments = [segment.name for segment in manifest.segments]
    places = Places(writer.layout.path / manifest.places.name, writer.layout, segments, manifest.model.dim)
    for table in tables:
        yield table.filter(pa.array(places.exist(np.asarray(table["id"]))))
