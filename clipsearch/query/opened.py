"""An index opened for searching: its spaces as they were when it was opened."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from clipsearch.errors import ClipsearchError, QueryError
from clipsearch.query.encoders import Encoders
from clipsearch.query.fusion import FusedSpaces
from clipsearch.query.space import OneSpace, Searchable
from clipsearch.store.manifest import ModelRef
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.spaces import FILE, Space, Spaces, read_spaces, space_name
from clipsearch.types import Encoder

Weights = tuple[tuple[str, float], ...]
"""Names of spaces, each with its weight."""

_KEPT = 8
"""Combinations of spaces of which ids and statistics are kept."""


class OpenSpaces:
    """The spaces of an index. Those that answer are held open from the start, others from when they are first asked.

    Args:
        path: the index directory.
        encoders: the models.
        only: the one space to open, as if there were no other.

    Raises:
        IndexNotFound: there is no index at `path`.
        IndexDamaged: it cannot be read.
        QueryError: there is no space called `only`.
    """

    def __init__(self, path: Path, encoders: Encoders, only: str | None = None) -> None:
        self._path, self._encoders, self._only = path, encoders, only
        self.listed, self._snapshots = _opened(path, only)
        self.main = self._snapshots[self.listed.main.name]
        self._searchable: dict[Weights, Searchable] = {}

    def weights(self, asked: str | Mapping[str, float] | None) -> Weights:
        """The spaces that answer a query: those it names, or those that do where it names none.

        Raises:
            QueryError: there is no such space, or a weight is no weight.
        """
        if asked is None:
            return self.listed.answering
        given = {asked: 1.0} if isinstance(asked, str) else asked
        found = {self.listed.named(name).name: float(weight) for name, weight in given.items()}
        wrong = [name for name, weight in found.items() if not (math.isfinite(weight) and weight >= 0)]
        if wrong:
            raise QueryError(f"The weight of {wrong[0]} is {found[wrong[0]]:g}; give a number from 0 on.")
        if not any(found.values()):
            raise QueryError("No space is asked: give at least one a weight above 0.")
        return tuple((name, weight) for name, weight in found.items() if weight)

    def searchable(self, weights: Weights) -> Searchable:
        """What answers a query with these spaces: one as it is, several fused."""
        found = self._searchable.get(weights)
        if found is None:
            spaces = tuple(self._space(self.listed.named(name)) for name, _ in weights)
            found = spaces[0] if len(spaces) == 1 else FusedSpaces(spaces, tuple(weight for _, weight in weights))
            if len(self._searchable) >= _KEPT:  # somebody tries many weights
                self._searchable.clear()
            self._searchable[weights] = found
        return found

    def encoder(self) -> Encoder:
        """The model of the main space."""
        return self._encoders.of(self.main.manifest.model)

    def load_models(self) -> None:
        """Load the models of the spaces that answer, unless they are there."""
        for name, _ in self.listed.answering:
            self._encoders.of(self._snapshot(name).manifest.model)

    def require_used(self) -> None:
        """Refuse ready encoders that are of no model that made a space."""
        self._encoders.require_used(self._snapshot(space.name).manifest.model for space in self.listed.spaces)

    def is_current(self) -> bool:
        """Whether nothing newer has been published in any space that is open, nor others answer."""
        if not all(snapshot.is_current() for snapshot in self._snapshots.values()):
            return False
        return self._only is not None or _listed(self._path, self.main) == self.listed

    def renewed(self) -> OpenSpaces:
        """The same as they are now."""
        return OpenSpaces(self._path, self._encoders, self._only)

    def close(self) -> None:
        """Let go of their files."""
        for snapshot in self._snapshots.values():
            snapshot.close()

    def _space(self, space: Space) -> OneSpace:
        snapshot = self._snapshot(space.name)
        encoder = partial(self._encoders.of, snapshot.manifest.model)
        if space.of == "pictures":
            return OneSpace(space.name, snapshot, self.main, encoder)
        pictures = self._pictures_by(snapshot.manifest.model)
        return OneSpace(space.name, snapshot, self.main, encoder, of_captions=True, pictures=pictures)

    def _pictures_by(self, model: ModelRef) -> Snapshot | None:
        """Pictures that a model embedded."""
        for other in (self._snapshot(space.name) for space in self.listed.spaces if space.of == "pictures"):
            if other.manifest.model.fingerprint == model.fingerprint:
                return other
        return None

    def _snapshot(self, name: str) -> Snapshot:
        if name not in self._snapshots:
            self._snapshots[name] = Snapshot(self._path, name)
        return self._snapshots[name]


def _opened(path: Path, only: str | None) -> tuple[Spaces, dict[str, Snapshot]]:
    """What there is and what answers, opened at one moment: a space may be dropped meanwhile."""
    if not (path / FILE).exists():
        snapshot = Snapshot(path)
        listed = _itself(snapshot)
        return _alone(listed, only), {listed.main.name: snapshot}
    listed = read_spaces(path)
    wanted = _alone(listed, only)
    try:
        return wanted, {name: Snapshot(path, name) for name, _ in wanted.answering}
    except ClipsearchError:
        if read_spaces(path) == listed:
            raise
    return _opened(path, only)


def _listed(path: Path, main: Snapshot) -> Spaces:
    return read_spaces(path) if (path / FILE).exists() else _itself(main)


def _itself(snapshot: Snapshot) -> Spaces:
    """What an index of one space consists of, without another look at its manifest."""
    name = space_name(snapshot.manifest.model.name)
    return Spaces((Space(name, "pictures", "."),), ((name, 1.0),))


def _alone(listed: Spaces, name: str | None) -> Spaces:
    if name is None:
        return listed
    space = listed.named(name)
    return Spaces((space,), ((space.name, 1.0),))
