"""Sources into targets: which root of the index a source belongs to, and what part of that root it covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from clipsearch.errors import SourceError
from clipsearch.names import to_stored
from clipsearch.store.manifest import Root
from clipsearch_indexer.sources.resolve import Source


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to scan: `prefix` is a folder within the root `base` ("" for all of it), in stored form; `files`
    are stored paths relative to `base`, for sources that are files. `skip` are folders other roots look after."""

    root: str
    base: Path
    kind: Literal["folder", "shards", "picture"]
    prefix: str = ""
    files: tuple[str, ...] = ()
    skip: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Targets:
    """What to scan, the roots of the index afterwards, and the roots that are not there at present."""

    targets: tuple[Target, ...]
    roots: Mapping[str, Root]
    offline: tuple[str, ...]


def assign(sources: Sequence[Source], roots: Mapping[str, Root], index: Path, *, known: frozenset[str]) -> Targets:
    """Tie sources to roots, naming new roots after their folders.

    A folder inside a known root is a part of it; a folder around known roots leaves these to themselves but scans
    them too. `known` are the aliases of roots with indexed pictures: such a root that is missing or empty is taken to
    be unmounted, and nothing of it is touched.

    Raises:
        SourceError: a source is not there and no root of the index either.
    """
    assigned = _Assignment(dict(roots), index, known)
    for source in sources:
        assigned.add(source)
    return Targets(_merged(assigned.targets), assigned.roots, tuple(assigned.offline))


def _merged(targets: Sequence[Target]) -> tuple[Target, ...]:
    """The same with all files of a root in one target: somebody may name a hundred thousand, one by one."""
    folders = [target for target in targets if target.kind == "folder"]
    files: dict[tuple[str, Path, str], list[Target]] = {}
    for target in targets:
        if target.kind != "folder":
            files.setdefault((target.root, target.base, target.kind), []).append(target)
    merged = (replace(same[0], files=tuple(file for t in same for file in t.files)) for same in files.values())
    return (*folders, *merged)


def refuse_missing(sources: Sequence[Source]) -> None:
    """Raise `SourceError` for the first source that is not there."""
    for source in sources:
        if not source.exists:
            raise SourceError(f"{source.given} is not there; check the name, or mount the disk it is on.")


def new_root(roots: Mapping[str, Root], place: Path, index: Path) -> Root:
    """A root for a folder, called after it, that goes with the roots of an index."""
    stem = to_stored(place.name) or "root"
    alias, number = stem, 2
    while alias in roots:
        alias, number = f"{stem}-{number}", number + 1
    location = str(place)
    if index.is_relative_to(place):
        # The index lives among its pictures: relative, so that both can be moved together.
        location = "/".join([".."] * len(index.relative_to(place).parts)) or "."
    return Root(alias, location)


def is_offline(place: Path) -> bool:
    """Whether the folder of a root is missing, or empty as a mount point is without its disk."""
    try:
        return not any(place.iterdir())
    except OSError:
        return True


class _Assignment:
    def __init__(self, roots: dict[str, Root], index: Path, known: frozenset[str]) -> None:
        self.roots, self.index, self.known = roots, index, known
        self.targets: list[Target] = []
        self.offline: list[str] = []

    def add(self, source: Source) -> None:
        places = {alias: root.resolve(self.index) for alias, root in self.roots.items()}
        around = [alias for alias, place in places.items() if source.root == place or place in source.root.parents]
        alias = max(around, key=lambda a: len(places[a].parts)) if around else None
        if alias is not None and self._is_offline(alias, places[alias]):
            return
        if alias is None:
            refuse_missing([source])
            alias = self._new_root(source.root)
            places[alias] = source.root
        self._add_target(source, alias, places)

    def _is_offline(self, alias: str, place: Path) -> bool:
        if alias in self.known and is_offline(place):
            if alias not in self.offline:
                self.offline.append(alias)
            return True
        return False

    def _new_root(self, place: Path) -> str:
        root = new_root(self.roots, place, self.index)
        self.roots[root.alias] = root
        return root.alias

    def _add_target(self, source: Source, alias: str, places: Mapping[str, Path]) -> None:
        base = places[alias]
        prefix = to_stored(source.root.relative_to(base).as_posix())
        prefix = "" if prefix == "." else prefix
        inner = {a: p for a, p in places.items() if a != alias and source.root in p.parents}
        if source.kind == "folder":
            self.targets.append(Target(alias, base, "folder", prefix, skip=tuple(inner.values())))
            for other, place in inner.items():
                if not self._is_offline(other, place):
                    self.targets.append(Target(other, place, "folder"))
        else:
            files = tuple(f"{prefix}/{file}" if prefix else file for file in source.files)
            self.targets.append(Target(alias, base, source.kind, files=files))
