"""One further space brought level with the main one: same ids, same metadata, its own vectors."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from clipsearch.store.background import MIN_PICTURES
from clipsearch.store.layout import Layout
from clipsearch.store.manifest import Root
from clipsearch.store.segments import failures_of, removals_of
from clipsearch.store.spaces import Space
from clipsearch.store.vectors import load_vectors
from clipsearch.store.writer import IndexWriter
from clipsearch.types import SpaceReport, StoredVectors
from clipsearch_indexer.known import KnownContents
from clipsearch_indexer.model import RunModel
from clipsearch_indexer.pace import Pace
from clipsearch_indexer.probes import store_probes
from clipsearch_indexer.progress import Listener, Progress
from clipsearch_indexer.spaces.difference import Difference
from clipsearch_indexer.spaces.embed import Batch, Reading, append, embed_captions, embed_pictures

_REASONS = 3
"""So many pictures that cannot be read are named in a report."""


@dataclass(frozen=True, slots=True)
class Following:
    """How further spaces follow the main one in a run; see `clipsearch_indexer.build` for each."""

    workers: int
    batch_size: int | None
    max_pixels: int
    publish_every: float
    listen: Listener
    stop: Callable[[], bool]


def bring_level(
    main: IndexWriter, writer: IndexWriter, space: Space, model: RunModel, following: Following
) -> SpaceReport:
    """Bring a space, opened with `writer`, level with what the main one has published.

    Every batch is on the disk before the next is begun, and published now and then, so a run that ends early leaves a
    space that lacks some pictures, and the next goes on.

    Raises:
        ModelError: there is something to embed, and the space's model cannot be loaded.
    """
    writer.publish()  # what an interrupted run left behind
    writer.roots, writer.tuning = roots_for(main, writer.layout.path), main.tuning
    writer.spend_ids(main.manifest.next_id)
    difference = Difference(writer.layout.tmp / "difference.duckdb", main.catalog, writer.catalog, space.of)
    try:
        return _Run(main, writer, space, model, following, difference).run()
    finally:
        difference.close()


def roots_for(main: IndexWriter, folder: Path) -> dict[str, Root]:
    """The main space's roots as they are for a space in another folder of the index."""
    return {alias: replace(root, location=_from(folder, root, main.layout)) for alias, root in main.roots.items()}


def _from(folder: Path, root: Root, layout: Layout) -> str:
    if Path(root.location).is_absolute():
        return root.location
    return Path(os.path.relpath(root.resolve(layout.path), folder)).as_posix()


class _Run:
    def __init__(
        self,
        main: IndexWriter,
        writer: IndexWriter,
        space: Space,
        model: RunModel,
        following: Following,
        difference: Difference,
    ) -> None:
        self._main, self._writer, self._space, self._model = main, writer, space, model
        self._following, self._difference = following, difference
        self._started = time.monotonic()
        self._state = Progress("scanning", space=space.name)
        self._changed = 0
        self._unreadable: list[str] = []  # the first few, in words
        writer.tell = lambda _, done, total: following.listen(Progress("training", done, total, space=space.name))

    def run(self) -> SpaceReport:
        offline = self._offline()
        absent = self._difference.count() - self._difference.count(offline)
        removed, renewed = self._remove(), self._renew()
        todo = self._difference.count(offline)
        if todo:
            self._embed(todo, offline)
        self._tell(stage="publishing")
        self._writer.publish()
        self._tell(stage="done")
        return SpaceReport(
            name=self._space.name,
            of=self._space.of,
            model=self._writer.manifest.model.name,
            embedded=self._state.embedded,
            reused=self._state.reused + renewed,
            removed=removed,
            changed=self._changed,
            unreadable=self._state.failed,
            reasons=tuple(self._unreadable),
            offline=absent,
            unseen=self._difference.unseen() if self._space.of == "pictures" else 0,
            total=self._writer.manifest.rows,
            seconds=time.monotonic() - self._started,
            interrupted=self._following.stop() and self._state.done < todo,
        )

    def _places(self) -> Mapping[str, Path]:
        return {alias: root.resolve(self._main.layout.path) for alias, root in self._main.roots.items()}

    def _offline(self) -> list[str]:
        """Roots whose pictures cannot be read now; a caption is at hand wherever its picture is."""
        if self._space.of == "captions":
            return []
        return [alias for alias, place in self._places().items() if not place.is_dir()]

    def _remove(self) -> int:
        """Take out what the main space has no more, and record the failures it has recorded."""
        gone, (failures, healed) = self._difference.gone(), self._difference.failures()
        if gone or failures or healed:
            self._writer.append(removals=removals_of(gone, healed), failures=failures_of(failures))
        return len(gone)

    def _renew(self) -> int:
        """Write rows anew whose metadata has changed, with the vectors there are."""
        count = 0
        for ids, segments, offsets in self._difference.renewed():
            vectors = self._stored(segments, offsets)
            append(self._writer, self._difference, Batch(ids.tolist(), vectors, 0))
            count += len(ids)
        return count

    def _stored(self, segments: Sequence[str], offsets: np.ndarray) -> StoredVectors:
        """Vectors at places that lie in the order of segments, float16 [n, dim]."""
        named = np.array(segments)
        parts = [
            np.asarray(load_vectors(self._writer.layout, str(name))[offsets[named == name]])
            for name in dict.fromkeys(segments)
        ]
        return np.concatenate(parts)

    def _embed(self, todo: int, offline: Sequence[str]) -> None:
        self._tell(stage="loading the model", total=todo)
        encoder, following = self._model.encoder, self._following
        if self._writer.manifest.rows + todo >= MIN_PICTURES:
            store_probes(self._writer.layout, encoder, self._probing)
        known = KnownContents(self._writer.layout, self._writer.manifest)
        self._started = time.monotonic()
        pace = Pace(following.publish_every)
        self._tell(stage="embedding")
        with closing(known), closing(self._batches(known, offline)) as batches:
            for batch in batches:
                append(self._writer, self._difference, batch)
                self._count(batch)
                if following.stop():
                    break
                if (manifest := pace.publish_if_due(self._writer)) is not None:
                    known.follow(manifest)

    def _batches(self, known: KnownContents, offline: Sequence[str]) -> Generator[Batch, None, None]:
        encoder, following = self._model.encoder, self._following
        if self._space.of == "captions":
            return embed_captions(self._difference, encoder)
        reading = Reading(self._places(), following.workers, following.batch_size, following.max_pixels)
        return embed_pictures(self._difference, encoder, known, reading, offline)

    def _count(self, batch: Batch) -> None:
        self._changed += batch.changed
        self._unreadable += batch.unreadable[: _REASONS - len(self._unreadable)]
        self._tell(
            done=self._state.done + batch.looked_at,
            embedded=self._state.embedded + batch.embedded,
            reused=self._state.reused + len(batch.ids) - batch.embedded,
            failed=self._state.failed + len(batch.unreadable),
        )

    def _probing(self, done: int, total: int) -> None:
        self._following.listen(Progress("embedding sample texts", done, total, space=self._space.name))

    def _tell(self, **changes: object) -> None:
        seconds = time.monotonic() - self._started
        self._state = replace(self._state, seconds=seconds, **changes)  # type: ignore[arg-type]
        self._following.listen(self._state)
