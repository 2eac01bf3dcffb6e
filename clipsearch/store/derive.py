"""Deriving what a version publishes from its segments: catalog, places, records, vector index, statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from clipsearch.errors import IndexDamaged
from clipsearch.store import background
from clipsearch.store.catalog import Catalog, build_catalog
from clipsearch.store.layout import Layout, replacing
from clipsearch.store.manifest import FileRef, Manifest, file_ref
from clipsearch.store.merge import live_offsets, removed_ids
from clipsearch.store.places import Places, write_places
from clipsearch.store.probes import read_probes
from clipsearch.store.records import Records, suffices, write_all, write_some
from clipsearch.store.vector_index import Change, derive_vector_index
from clipsearch.types import Ids, Tell


@dataclass(frozen=True, slots=True)
class Sources:
    """What a version is derived from: `fresh` segments on top of the version `base` (None: nothing), of whose rows
    those in `moved` segments now lie elsewhere."""

    fresh: Sequence[str]
    moved: Sequence[str] = ()
    base: Manifest | None = None


def quietly(_what: str, _done: int, _total: int) -> None:
    """Tell nobody of long work."""


def derive(layout: Layout, manifest: Manifest, sources: Sources, tell: Tell = quietly) -> Manifest:
    """Write the derived files of `manifest.version`; returns the manifest with their names and counts.

    What has not changed enough to be made anew is taken over from the base version under its old name.
    """
    version, base = manifest.version, sources.base
    with replacing(layout.catalog(version), layout.tmp) as draft:
        old = layout.path / base.catalog.name if base else None
        before = base.computed if base else ()
        rows, failures = build_catalog(draft, old, layout, sources.fresh, sources.moved, manifest.computed, before)
    manifest = replace(manifest, rows=rows, failures=failures, catalog=file_ref(layout.catalog(version)))
    names = [segment.name for segment in manifest.segments]
    with Catalog(layout.catalog(version)) as catalog:
        with replacing(layout.places(version), layout.tmp) as draft:
            write_places(draft, catalog, names, manifest.next_id)
        added = np.concatenate([_NO_IDS, *(live_offsets(catalog, segment)[0] for segment in sources.fresh)])
        records = _records(layout, manifest, catalog, added, base)
    manifest = replace(manifest, places=file_ref(layout.places(version)), records=records)
    places = Places(layout.places(version), layout, names, manifest.model.dim)
    change = Change(removed_ids(layout, sources.fresh), added, base, tell)
    manifest = derive_vector_index(layout, manifest, places, change)
    return replace(
        manifest,
        background=_background(layout, manifest, places, base),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


_NO_IDS: Ids = np.empty(0, dtype=np.int64)


def _records(
    layout: Layout, manifest: Manifest, catalog: Catalog, added: Ids, base: Manifest | None
) -> tuple[FileRef, ...]:
    """The files of metadata by id: those of the base version and one with the rows of `added`, or one with all."""
    target = layout.records(manifest.version)
    if (
        base is not None
        and manifest.computed == base.computed
        and _goes_on(layout, base, catalog, manifest.rows, added)
    ):
        if not len(added):
            return base.records
        with replacing(target, layout.tmp) as draft:
            write_some(draft, catalog, added)
        return (*base.records, file_ref(target))
    with replacing(target, layout.tmp) as draft:
        write_all(draft, catalog, manifest.next_id)
    return (file_ref(target),)


def _goes_on(layout: Layout, base: Manifest, catalog: Catalog, rows: int, added: Ids) -> bool:
    try:
        old = Records([layout.path / file.name for file in base.records])
    except IndexDamaged:
        return False
    return suffices(old, catalog.schema, rows=rows, added=len(added))


def _background(layout: Layout, manifest: Manifest, places: Places, base: Manifest | None) -> FileRef | None:
    if not manifest.rows:
        return None
    old = None
    if base and base.background:
        try:
            old = background.read(layout.path / base.background.name)
        except IndexDamaged:
            old = None
    probes = read_probes(layout.path, manifest.model.fingerprint)
    if base and old and not background.is_due(old, probes, rows=manifest.rows, next_id=manifest.next_id):
        return base.background
    vectors = places.vectors_of(background.sample(places.ids()))
    found = background.measure(vectors, probes, rows=manifest.rows, next_id=manifest.next_id)
    with replacing(layout.background(manifest.version), layout.tmp) as draft:
        background.write(draft, found)
    return file_ref(layout.background(manifest.version))
