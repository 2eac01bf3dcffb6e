"""The vector index of a version: exact while that is quick; above that trained, with what is new searched exactly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from clipsearch.ann.exact import write_exact
from clipsearch.ann.recipes import (
    HOLLOW,
    OUTGROWN,
    RecipeName,
    choose,
    longest_tail,
    recipe_named,
)
from clipsearch.ann.trained import TrainedIndex
from clipsearch.ann.training import extend_trained, partly_filled, sample_size, train, write_trained
from clipsearch.store.layout import Layout, replacing
from clipsearch.store.manifest import FileRef, Manifest, TrainedRef, file_ref
from clipsearch.store.places import Places
from clipsearch.store.tuning import tuned
from clipsearch.types import Ids, StoredVectors, Tell

Step = Literal["exact", "train", "extend", "tune", "keep"]

_SEED = 0
_NO_IDS: Ids = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Change:
    """How a version differs from `base` (None: from nothing): ids that went and ids of rows that came.

    `tell` hears of long work: what is done, so many vectors of so many.
    """

    removed: Ids
    added: Ids
    base: Manifest | None
    tell: Tell


def derive_vector_index(layout: Layout, manifest: Manifest, places: Places, change: Change) -> Manifest:
    """Write the FAISS files of `manifest.version`; returns the manifest with them."""
    old = change.base.trained if change.base else None
    recipe = choose(manifest.rows, manifest.model.dim, manifest.tuning, trained=old is not None)
    late = _late(layout, old, change.added) if old else _NO_IDS
    step = _next_step(recipe, manifest, old, len(places.ids(old.below)) if old else 0, late=len(late) > 0)
    trained = None
    if step == "train":
        trained = _train(layout, manifest, places, recipe, change.tell)
    elif step == "extend" and old is not None:
        trained = _extend(layout, manifest, places, old, late, change.tell)
    elif step == "tune" and old is not None:
        trained = _tuned(layout, manifest, places, old)
    elif step == "keep" and old is not None:
        trained = old
    if trained is not None:
        trained = replace(trained, dead=trained.codes - len(places.ids(0, trained.below)))
    return replace(manifest, trained=trained, ann=_exact(layout, manifest, places, change, trained))


def _late(layout: Layout, old: TrainedRef, added: Ids) -> Ids:
    """Of the rows that came, those whose ids are older than the trained index and yet not in it: a space may get a
    picture later than it got its id from the main one."""
    early = added[added < old.below]
    if not len(early):
        return early
    index = TrainedIndex(layout.path / old.index.name, layout.path / old.lists.name)
    late: Ids = np.sort(early[index.lists_by_id(old.below)[early] < 0])
    return late


def _next_step(recipe: RecipeName, manifest: Manifest, old: TrainedRef | None, tail: int, *, late: bool) -> Step:
    """What to do for a version of `manifest.rows` pictures of which `tail` are newer than the trained index `old`, and
    some are `late`."""
    if recipe == "exact":
        return "exact"
    if old is None or old.recipe != recipe:
        return "train"
    if manifest.rows > OUTGROWN * old.trained_on or old.dead > HOLLOW * old.codes:
        return "train"
    if late or tail > longest_tail(old.codes):
        return "extend"
    return "keep" if old.recall == manifest.tuning.recall else "tune"


def _exact(layout: Layout, manifest: Manifest, places: Places, change: Change, trained: TrainedRef | None) -> FileRef:
    """The exact index: of everything, or of what is newer than the trained one."""
    below = trained.below if trained else 0
    base = change.base
    old_below = base.trained.below if base and base.trained else 0
    goes_on = base is not None and old_below == below
    added = change.added[change.added >= below] if goes_on else places.ids(below)
    gone = np.concatenate([change.removed, added])
    old = layout.path / base.ann.name if base and goes_on else None
    target = layout.ann(manifest.version)
    with replacing(target, layout.tmp) as draft:
        write_exact(draft, old, manifest.model.dim, gone, places.blocks(added))
    return file_ref(target)


def _train(layout: Layout, manifest: Manifest, places: Places, recipe: RecipeName, tell: Tell) -> TrainedRef:
    rows, ids = manifest.rows, places.ids()
    sample = np.sort(np.random.default_rng(_SEED).choice(ids, sample_size(rows), replace=False))
    tell("training", 0, rows)
    index = train(places.vectors_of(sample), rows, recipe_named(recipe, manifest.model.dim))
    with _drafts(layout, manifest.version) as (draft, lists):
        write_trained(index, _told(places, ids, tell), draft, lists)
    return _trained_ref(layout, manifest, places, recipe, trained_on=rows, codes=rows)


def _extend(layout: Layout, manifest: Manifest, places: Places, old: TrainedRef, late: Ids, tell: Tell) -> TrainedRef:
    base, base_lists = layout.path / old.index.name, layout.path / old.lists.name
    again = partly_filled(base, base_lists)
    new = np.concatenate([late, places.ids(old.below)])
    added = np.concatenate([again[places.exist(again)], new])
    with _drafts(layout, manifest.version) as (draft, lists):
        extend_trained(base, base_lists, _told(places, added, tell), draft, lists)
    codes = old.codes - len(again) + len(added)
    return _trained_ref(layout, manifest, places, old.recipe, trained_on=old.trained_on, codes=codes)


def _told(places: Places, ids: Ids, tell: Tell) -> Iterator[tuple[Ids, StoredVectors]]:
    done = 0
    for block, vectors in places.blocks(ids):
        yield block, vectors
        done += len(block)
        tell("training", done, len(ids))


@contextmanager
def _drafts(layout: Layout, version: int) -> Iterator[tuple[Path, Path]]:
    index, lists = layout.trained(version), layout.lists(version)
    with replacing(index, layout.tmp) as draft, replacing(lists, layout.tmp) as lists_draft:
        yield draft, lists_draft


def _tuned(layout: Layout, manifest: Manifest, places: Places, old: TrainedRef) -> TrainedRef:
    """The same index, looked into as far as another recall takes."""
    index = TrainedIndex(layout.path / old.index.name, layout.path / old.lists.name)
    points, milliseconds = tuned(layout, manifest, places, index)
    return replace(old, recall=manifest.tuning.recall, points=points, milliseconds=milliseconds)


def _trained_ref(
    layout: Layout, manifest: Manifest, places: Places, recipe: RecipeName, *, trained_on: int, codes: int
) -> TrainedRef:
    index, lists = layout.trained(manifest.version), layout.lists(manifest.version)
    trained = TrainedIndex(index, lists)
    points, milliseconds = tuned(layout, manifest, places, trained)
    return TrainedRef(
        recipe=recipe,
        index=file_ref(index),
        lists=file_ref(lists),
        below=manifest.next_id,
        trained_on=trained_on,
        codes=codes,
        dead=0,
        recall=manifest.tuning.recall,
        list_count=trained.list_count,
        points=points,
        milliseconds=milliseconds,
    )
