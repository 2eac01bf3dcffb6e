"""Writing an index: batches are appended to the log as segments, `publish` shows them to readers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from clipsearch.store.catalog import Catalog
from clipsearch.store.computed import drop_gone
from clipsearch.store.derive import Sources, derive, quietly
from clipsearch.store.disk import disk_errors
from clipsearch.store.garbage import collect_dropped, collect_garbage
from clipsearch.store.layout import Layout, looks_like_index, make_folder
from clipsearch.store.lock import writer_lock
from clipsearch.store.manifest import (
    ComputedRef,
    FileRef,
    Manifest,
    ModelRef,
    Root,
    SegmentRef,
    published_version,
    read_manifest,
    require_same_model,
    write_manifest,
)
from clipsearch.store.merge import (
    merge_segments,
    runs_to_compact,
    tail_to_merge,
)
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.segments import (
    SegmentDraft,
    complete_segments,
    failures_of,
    outermost,
    removals_of,
)
from clipsearch.store.spaces import main_folder, whole_of
from clipsearch.types import StoredVectors, Tell


class IndexWriter:
    """The one writer of an index, made by `open_for_writing`.

    `manifest` is the published version; `recovered` counts the rows that an interrupted run had written but not
    published, which this writer found and will publish. `roots` and `tuning` may be set anew; `computed` has
    the sets of computed columns by name (`clipsearch.store.computed`); `tell` hears of long work while publishing.
    """

    def __init__(self, layout: Layout, manifest: Manifest) -> None:
        self.layout = layout
        self.manifest = manifest
        self.roots: dict[str, Root] = {root.alias: root for root in manifest.roots}
        self.tuning = manifest.tuning
        self.computed: dict[str, ComputedRef] = {ref.name: ref for ref in manifest.computed}
        self.tell: Tell = quietly
        self._next_id = manifest.next_id
        self._after = 0
        self._fresh: list[SegmentRef] = []
        self._adopt()
        self.recovered = sum(segment.rows for segment in self._fresh)

    def _adopt(self) -> None:
        """Take over complete segments that nobody got to publish."""
        newer = [r for r in complete_segments(self.layout) if r.segment.first > self.manifest.last_batch]
        for record in outermost(newer):
            require_same_model(self.manifest.model, record.model.name, record.model.fingerprint)
            self._fresh.append(record.segment)
            self._next_id = max(self._next_id, record.next_id)
            for root in record.roots:
                self.roots.setdefault(root.alias, root)

    @property
    def catalog(self) -> Path:
        """The published catalog's file."""
        return self.layout.path / self.manifest.catalog.name

    @property
    def unpublished(self) -> bool:
        """Whether there is anything readers do not see yet."""
        now = self.tuning, tuple(self.roots.values()), tuple(self.computed.values()), self._next_id
        was = self.manifest.tuning, self.manifest.roots, self.manifest.computed, self.manifest.next_id
        return bool(self._fresh) or now != was or self._after >= self.manifest.version

    def take_ids(self, count: int) -> range:
        """Ids never used before."""
        start = self._next_id
        self._next_id += count
        return range(start, start + count)

    def spend_ids(self, below: int) -> None:
        """Never give out ids below `below`, which another space of the index has given out."""
        self._next_id = max(self._next_id, below)

    def go_on_from(self, before: Manifest) -> None:
        """Take the place of the main space, whose manifest is `before`: give out none of its ids, and publish under
        higher numbers, so that no version of the index is taken for another."""
        self.spend_ids(before.next_id)
        self._after = before.version

    def append(
        self,
        rows: pa.Table | None = None,
        vectors: StoredVectors | None = None,
        *,
        removals: pa.Table | None = None,
        failures: pa.Table | None = None,
    ) -> SegmentRef:
        """Write one batch to the log; once this returns it survives anything but the disk's own end.

        `rows` has the columns of `ROW_SCHEMA` and any more; `vectors` is float16 [n, dim].
        """
        batch = max(self.manifest.last_batch, *(s.last for s in self._fresh), 0) + 1
        draft = SegmentDraft(self.layout, batch, batch, self.manifest.model.dim)
        try:
            if rows is not None and vectors is not None:
                draft.append(rows, vectors)
            segment = draft.commit(
                removals_of() if removals is None else removals,
                failures_of([]) if failures is None else failures,
                model=self.manifest.model,
                roots=tuple(self.roots.values()),
                next_id=self._next_id,
                empty_schema=ROW_SCHEMA,
            )
        except BaseException:
            draft.discard()
            raise
        self._fresh.append(segment)
        return segment

    def publish(self) -> Manifest:
        """Derive catalog and FAISS index from the published ones and the new segments, then let readers see them."""
        if not self.unpublished:
            collect_garbage(self.layout, self.manifest)  # what was still read when this version was published
            return self.manifest
        kept, moved = self._merge_tail()
        self._write_version((*kept, *self._fresh), self._fresh, moved, base=self.manifest)
        return self.manifest

    def rebuild(self, *, merge: bool) -> Manifest:
        """Derive everything anew from the segments; with `merge`, first fold them together and drop dead rows."""
        self.publish()
        segments = self.manifest.segments
        if merge:
            segments = self._merge_all()
            drop_gone(self)
        self._write_version(segments, segments, (), base=None)
        return self.manifest

    def _merge_tail(self) -> tuple[tuple[SegmentRef, ...], tuple[SegmentRef, ...]]:
        """The published segments with their newest run merged, and the merged segment if there is one."""
        segments = self.manifest.segments
        run = tail_to_merge(segments)
        if not run:
            return segments, ()
        with Catalog(self.catalog) as catalog:
            merged = merge_segments(self.layout, self.manifest, catalog, run)
        if merged is None:
            return segments, ()
        return (*segments[: len(segments) - len(run)], merged), (merged,)

    def _merge_all(self) -> tuple[SegmentRef, ...]:
        result: list[SegmentRef] = []
        with Catalog(self.catalog) as catalog:
            for run in runs_to_compact(self.manifest.segments):
                # A lone segment keeps its folder name, which readers may have open.
                merged = merge_segments(self.layout, self.manifest, catalog, run) if len(run) > 1 else None
                result += run if merged is None else [merged]
        return tuple(result)

    def _write_version(
        self,
        segments: Sequence[SegmentRef],
        fresh: Sequence[SegmentRef],
        moved: Sequence[SegmentRef],
        base: Manifest | None,
    ) -> None:
        version = max(self.manifest.version, self._after) + 1
        manifest = derive(
            self.layout,
            replace(
                self.manifest,
                version=version,
                next_id=self._next_id,
                tuning=self.tuning,
                roots=tuple(self.roots.values()),
                segments=tuple(segments),
                computed=tuple(self.computed.values()),
            ),
            Sources([s.name for s in fresh], [s.name for s in moved], base),
            self.tell,
        )
        write_manifest(self.layout, manifest)
        self.manifest, self._fresh = manifest, []
        collect_garbage(self.layout, manifest)


@contextmanager
def open_for_writing(path: Path, model: ModelRef | None = None) -> Iterator[IndexWriter]:
    """Lock an index and open its main space for writing, making it first where there is none and `model` is given.

    Raises:
        IndexBusy: another process is writing.
        IndexNotFound: there is no index and no `model` to make one with.
        ModelMismatch: the index holds another model's vectors.
        UsageError: the folder cannot be written to.
        DiskFull: there is no room left, now or later in the context.
    """
    with locked(path, new=model is not None):
        yield writer_of(main_folder(path), model)


@contextmanager
def locked(path: Path, *, new: bool = False) -> Iterator[None]:
    """Hold an index, with all its spaces, for writing. `path` may be that of one of its spaces.

    Raises:
        IndexBusy: another process is writing.
        IndexNotFound: there is no index, and none is to be made (`new`).
        UsageError: the folder cannot be written to.
        DiskFull: there is no room left, now or later in the context.
    """
    if not new and not looks_like_index(path):
        published_version(Layout(path))
    make_folder(path)
    index = whole_of(path.absolute())
    with disk_errors(index), writer_lock(Layout(index)):
        collect_dropped(index)
        yield


def writer_of(folder: Path, model: ModelRef | None = None) -> IndexWriter:
    """Open one space of an index whose lock is held, making it first where there is none and `model` is given.

    Raises:
        IndexNotFound: there is none and no `model` to make one with.
        ModelMismatch: it holds another model's vectors.
    """
    layout = Layout(folder)
    shutil.rmtree(layout.tmp, ignore_errors=True)
    if model is not None and not layout.current.exists() and not any(layout.path.glob("segments/*")):
        folder.mkdir(parents=True, exist_ok=True)
        write_manifest(layout, _first_version(layout, model))
    manifest = read_manifest(layout.manifest(published_version(layout)))
    if model is not None:
        require_same_model(manifest.model, model.name, model.fingerprint)
    return IndexWriter(layout, manifest)


def _first_version(layout: Layout, model: ModelRef) -> Manifest:
    nothing = FileRef("", 0, "")
    layout.segments.mkdir(exist_ok=True)
    layout.versions.mkdir(exist_ok=True)
    empty = Manifest(1, "", model, rows=0, failures=0, next_id=1, catalog=nothing, ann=nothing, places=nothing)
    return derive(layout, empty, Sources(()))
