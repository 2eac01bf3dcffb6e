"""The steps of an indexing run: scan, compare, embed, tidy up, publish."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock

from clipsearch.errors import SourceError
from clipsearch.names import from_stored
from clipsearch.pictures.for_model import Target as DecodingTarget
from clipsearch.pictures.isolated import Decoders, prestart
from clipsearch.store.background import MIN_PICTURES
from clipsearch.store.catalog import Catalog
from clipsearch.store.picture_store import thumbnails_of
from clipsearch.store.segments import failures_of, removals_of
from clipsearch.store.writer import IndexWriter
from clipsearch.types import IndexReport
from clipsearch_indexer.batches import BatchCounts, BatchWriter
from clipsearch_indexer.candidates import Chunk, Shard, file_chunks, shard_chunks
from clipsearch_indexer.encode import BatchEncoder
from clipsearch_indexer.known import KnownContents
from clipsearch_indexer.model import RunModel
from clipsearch_indexer.pace import Pace
from clipsearch_indexer.plan import Plan
from clipsearch_indexer.prepare import Preparer, prepare_all, refuse_vanished
from clipsearch_indexer.probes import store_probes
from clipsearch_indexer.progress import Listener, Progress
from clipsearch_indexer.roots import Target, Targets, assign
from clipsearch_indexer.settings import Settings
from clipsearch_indexer.shards import shards_to_do
from clipsearch_indexer.sources.folder import Found, Problem, walk
from clipsearch_indexer.sources.names import FileKind
from clipsearch_indexer.sources.resolve import Source
from clipsearch_indexer.timing import Timing
from clipsearch_indexer.writing import Writing

_PICTURES_A_WORKER = 32
"""New pictures from which on it pays to start a further process."""


class Run:
    """One run on one open index."""

    def __init__(
        self,
        writer: IndexWriter,
        model: RunModel,
        settings: Settings,
        timing: Timing,
        progress: Listener,
        stop: Callable[[], bool],
    ) -> None:
        self._writer, self._model, self._settings, self._timing = writer, model, settings, timing
        self._trained = writer.manifest.trained.index if writer.manifest.trained else None
        self._listen, self._stop = progress, stop
        self._started = time.monotonic()
        self._state = Progress("scanning")
        self._telling = Lock()  # training is told from the thread that publishes
        self._notes: list[str] = []
        writer.tell = self._training

    def index(self, sources: Sequence[Source], notes: tuple[str, ...]) -> IndexReport:
        """Do the run and report on it."""
        self._notes += notes
        # What an interrupted run left behind is published first, so that the comparison knows it.
        self._writer.publish()
        targets = assign(sources, self._writer.roots, self._writer.layout.path, known=self._roots_with_pictures())
        self._writer.roots = dict(targets.roots)
        plan = Plan(
            self._writer.layout.tmp / "plan.duckdb",
            self._writer.catalog,
            retry=self._settings.retry_failures,
        )
        try:
            return self._follow(plan, targets)
        except SourceError:  # what came before is there to be searched
            self._writer.publish()
            raise
        finally:
            plan.close()

    def _follow(self, plan: Plan, targets: Targets) -> IndexReport:
        for target in targets.targets:
            self._tell(stage="scanning")
            plan.scan(target, self._find(target))
        plan.compare(self._settings.include)
        shards, notes = shards_to_do(plan, targets, self._settings)
        self._notes += notes
        seen, todo = plan.counts()
        seen += sum(shard.total for shard in shards)
        todo += sum(shard.todo for shard in shards)
        claimed: set[int] = set()
        if todo:
            prestart()  # it is there when the model is
            self._tell(stage="loading the model", total=todo)
            claimed = self._embed(plan, self._chunks(plan, targets, shards), todo)
        removed = 0
        interrupted = self._stop()
        if not interrupted:
            removed = self._tidy_up(plan, claimed)
        self._tell(stage="publishing")
        self._writer.publish()
        self._tell(stage="done")
        return self._report(targets, seen, todo, removed, interrupted=interrupted)

    def _find(self, target: Target) -> Iterator[Found | Problem]:
        """What a target holds, with paths relative to its root."""
        if target.kind != "folder":
            kind: FileKind = "shard" if target.kind == "shards" else "picture"
            for path in target.files:
                try:
                    found = (target.base / from_stored(path)).stat()
                except OSError:
                    continue  # gone: the comparison sees to it
                yield Found(path, found.st_size, found.st_mtime_ns, kind)
            return
        folder = target.base / from_stored(target.prefix)
        if not folder.is_dir():
            return
        settings = self._settings
        for entry in walk(folder, include=settings.include, exclude=settings.exclude, skip=target.skip):
            yield replace(entry, path=f"{target.prefix}/{entry.path}") if target.prefix else entry

    def _chunks(self, plan: Plan, targets: Targets, shards: Sequence[Shard]) -> Iterator[Chunk]:
        size = self._settings.batch_size or self._model.encoder.batch_size
        yield from file_chunks(plan, {target.root: target.base for target in targets.targets}, size)
        for shard in shards:
            if shard.todo:
                yield from self._shard_chunks(plan, shard, size)

    def _shard_chunks(self, plan: Plan, shard: Shard, size: int) -> Iterator[Chunk]:
        """As `shard_chunks`; one that breaks off in the middle is put down as a failure, no more."""
        try:
            yield from shard_chunks(shard, size)
            plan.mark_readable(shard.root, shard.path)
        except SourceError as error:
            self._notes.append(str(error))
            plan.mark_damaged(shard.root, shard.path, str(error))

    def _embed(self, plan: Plan, chunks: Iterator[Chunk], total: int) -> set[int]:
        """Work through the chunks; returns ids that vanished pictures live on under."""
        encoder = self._model.encoder
        if self._writer.manifest.rows + total >= MIN_PICTURES:
            store_probes(self._writer.layout, encoder, self._probing)
        known = KnownContents(self._writer.layout, self._writer.manifest)
        batches = BatchWriter(self._writer, encoder.dim, plan)
        pace = Pace(self._settings.publish_every)
        self._started = time.monotonic()
        self._tell(stage="embedding", total=total)
        settings = self._settings
        wanted = DecodingTarget(encoder.preprocessing, settings.max_pixels, settings.thumbnails)
        with (
            closing(known),
            Decoders(self._workers(total), wanted) as decoders,
            closing(thumbnails_of(self._writer.layout.path)) if settings.thumbnails else nullcontext() as thumbnails,
            Writing(self._writer, batches, known, pace, self._timing) as writing,
            self._timing.whole(),
        ):
            preparer = Preparer(decoders, known.seem_known, self._timing, thumbnails)
            encoding = BatchEncoder(encoder, preparer, known)
            with closing(prepare_all(chunks, preparer)) as ready:
                for chunk, prepared in ready:
                    encoded = encoding.encode(chunk, prepared)
                    refuse_vanished(encoded.prepared, self._writer.roots, self._writer.layout.path)
                    self._count(writing.put(encoded))
                    if self._stop():
                        break
            writing.finish()
        return batches.claimed

    def _workers(self, total: int) -> int:
        """Processes for so many pictures: to start one takes as long as to decode some fifty."""
        return min(self._settings.workers, 1 + total // _PICTURES_A_WORKER)

    def _count(self, counts: BatchCounts) -> None:
        self._tell(
            done=self._state.done + counts.pictures,
            embedded=self._state.embedded + counts.embedded,
            reused=self._state.reused + counts.reused,
            failed=self._state.failed + counts.failed,
        )

    def _tidy_up(self, plan: Plan, claimed: set[int]) -> int:
        """Record what is gone and what could not be looked at; returns how many pictures left the results."""
        gone = [i for i in plan.vanished() if i not in claimed]
        if self._settings.keep_missing:
            gone = []
        now = datetime.now(UTC).replace(tzinfo=None)
        problems = [
            {"root": r, "path": p, "reason": why, "message": m, "bytes": 0, "mtime_ns": 0, "failed_at": now}
            for r, p, why, m in plan.new_problems()
        ]
        healed = plan.healed()
        self._tell(failed=self._state.failed + len(problems))
        if gone or healed or problems:
            self._writer.append(removals=removals_of(gone, healed), failures=failures_of(problems))
        return len(gone)

    def _roots_with_pictures(self) -> frozenset[str]:
        with Catalog(self._writer.catalog) as catalog:
            return frozenset(root for (root,) in catalog.fetch("SELECT DISTINCT root FROM pictures"))

    def _tell(self, **changes: object) -> None:
        seconds = time.monotonic() - self._started
        self._state = replace(self._state, seconds=seconds, **changes)  # type: ignore[arg-type]
        with self._telling:
            self._listen(self._state)

    def _training(self, _what: str, done: int, total: int) -> None:
        with self._telling:
            self._listen(Progress("training", done, total, seconds=time.monotonic() - self._started))

    def _probing(self, done: int, total: int) -> None:
        self._listen(Progress("embedding sample texts", done, total))

    def _report(self, targets: Targets, seen: int, todo: int, removed: int, *, interrupted: bool) -> IndexReport:
        state, manifest = self._state, self._writer.manifest
        return IndexReport(
            index=self._writer.layout.path,
            model=manifest.model.name,
            seen=seen,
            embedded=state.embedded,
            reused=state.reused,
            unchanged=seen - max(state.done, todo if interrupted else 0),
            removed=removed,
            failed=state.failed,
            recovered=self._writer.recovered,
            total=manifest.rows,
            version=manifest.version,
            seconds=time.monotonic() - self._started,
            interrupted=interrupted,
            offline_roots=targets.offline,
            notes=tuple(self._notes),
            trained=manifest.trained.info if manifest.trained and manifest.trained.index != self._trained else None,
            timing=self._timing.report(state.done, self._workers(todo)),
        )
