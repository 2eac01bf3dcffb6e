"""What labels and scores have in common: columns computed from vectors, for all pictures or for later ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain
from typing import TypeVar

import numpy as np
import pyarrow as pa

from clipsearch.store.computed import put_columns, read_computed
from clipsearch.store.layout import Layout
from clipsearch.store.manifest import ComputedRef
from clipsearch.store.places import Places
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import IndexWriter
from clipsearch.types import Ids, Tell

Made = TypeVar("Made")
Tables = Callable[[Places, Ids], Iterator[pa.Table]]
"""The values for some pictures, in portions, at least one: `id` and the columns."""


def compute_all(writer: IndexWriter, name: str, tables: Tables, recipe: bytes, tell: Tell) -> int:
    """Compute and publish a set of columns for every published picture; returns how many those are."""
    with closing(Snapshot(writer.layout.path)) as snapshot:
        ids = snapshot.places.ids()
        put_columns(writer, name, tables(snapshot.places, ids), recipe)
    tell("publishing", 0, 1)
    writer.publish()
    return len(ids)


def compute_more(writer: IndexWriter, ref: ComputedRef, tables: Tables) -> int:
    """Compute a set of columns for the published pictures it has nothing of; returns how many those are."""
    computed = read_computed(writer.layout.path / ref.file.name)
    with closing(Snapshot(writer.layout.path)) as snapshot:
        ids = np.setdiff1d(snapshot.places.ids(), computed.ids(), assume_unique=True)
        if len(ids):
            more = tables(snapshot.places, ids)
            put_columns(writer, ref.name, chain(computed.tables(), more), computed.recipe)
    return len(ids)


def sets_of(
    layout: Layout, computed: Iterable[ComputedRef], read: Callable[[bytes], Made | None]
) -> list[tuple[ComputedRef, Made]]:
    """The sets of computed columns whose recipe can be read so, each with what it says."""
    found = ((ref, read(read_computed(layout.path / ref.file.name).recipe)) for ref in computed)
    return [(ref, made) for ref, made in found if made is not None]
