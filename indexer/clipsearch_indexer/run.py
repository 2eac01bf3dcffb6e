"""The steps of an indexing run: scan, compare, embed, tidy up, publish."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from clipsearch.errors import ShardDamaged, SourceError
from clipsearch.names import from_stored
from clipsearch.pictures.parquet import inspect_shard
from clipsearch.store.background import MIN_PICTURES
from clipsearch.store.catalog import Catalog
from clipsearch.store.segments import failures_of, removals_of
from clipsearch.store.writer import IndexWriter
from clipsearch.types import IndexReport
from clipsearch_indexer.batches import BatchWriter
from clipsearch_indexer.candidates import Chunk, Shard, file_chunks, shard_chunks
from clipsearch_indexer.known import KnownContents
from clipsearch_indexer.model import RunModel
from clipsearch_indexer.plan import Plan
from clipsearch_indexer.prepare import Preparer, prepare_all
from clipsearch_indexer.probes import store_probes
from clipsearch_indexer.progress import Listener, Progress
from clipsearch_indexer.roots import Target, Targets, assign
from clipsearch_indexer.sources.folder import Found, Problem, walk
from clipsearch_indexer.sources.names import FileKind
from clipsearch_indexer.sources.resolve import Source

# Publishing rewrites catalog and FAISS index; a run spends at most about a tenth of its time on it.
_PUBLISH_SHARE = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run; see `build` for each."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    image_column: str | None
    caption_column: str | None
    keep_missing: bool
    retry_failures: bool
    workers: int
    batch_size: int | None
    max_pixels: int
    publish_every: float


class Run:
    """One run on one open index."""

    def __init__(
        self,
        writer: IndexWriter,
        model: RunModel,
        settings: Settings,
        progress: Listener,
        stop: Callable[[], bool],
    ) -> None:
        self._writer, self._model, self._settings = writer, model, settings
        self._trained = writer.manifest.trained.index if writer.manifest.trained else None
        self._listen, self._stop = progress, stop
        self._started = time.monotonic()
        self._state = Progress("scanning")
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
        finally:
            plan.close()

    def _follow(self, plan: Plan, targets: Targets) -> IndexReport:
        for target in targets.targets:
            self._tell(stage="scanning")
            plan.scan(target, self._find(target))
        plan.compare(self._settings.include)
        shards = self._shards(plan, targets)
        seen, todo = plan.counts()
        seen += sum(shard.total for shard in shards)
        todo += sum(shard.todo for shard in shards)
        claimed: set[int] = set()
        if todo:
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

    def _shards(self, plan: Plan, targets: Targets) -> list[Shard]:
        """Parquet files with rows to look at.

        Raises:
            SourceError: a Parquet file named by the user cannot be used.
        """
        bases = {target.root: target.base for target in targets.targets}
        named = {(t.root, file) for t in targets.targets if t.kind == "shards" for file in t.files}
        with_pictures = plan.counts()[0] > 0
        shards = []
        for root, path, mtime_ns in plan.shards():
            is_named = (root, path) in named
            try:
                shard = self._shard(plan, root, bases[root], path, mtime_ns)
            except SourceError as error:
                if is_named:
                    raise
                self._notes.append(str(error))
                if isinstance(error, ShardDamaged):
                    plan.mark_damaged(root, path, str(error))
                continue
            if shard.layout.kind == "path" and with_pictures and not is_named:
                # Its pictures would be found twice: as files, and as rows of this table.
                self._notes.append(
                    f"{path} names pictures by path; its columns were left out. To use them, index it by itself: "
                    f"clipsearch index {shard.base / from_stored(path)}"
                )
                continue
            shards.append(shard)
        return shards

    def _shard(self, plan: Plan, root: str, base: Path, path: str, mtime_ns: int) -> Shard:
        settings = self._settings
        layout = inspect_shard(
            base / from_stored(path), image_column=settings.image_column, caption_column=settings.caption_column
        )
        stored = plan.shard_rows(root, path)
        if settings.retry_failures:
            stored = {place: row for place, row in stored.items() if row.id is not None}
        for place in [p for p in stored if p[0] >= len(layout.group_rows) or p[1] >= layout.group_rows[p[0]]]:
            plan.mark_vanished(root, path, stored.pop(place), place)
        total = sum(layout.group_rows)
        current = sum(row.mtime_ns == mtime_ns for row in stored.values()) if layout.kind != "path" else 0
        return Shard(root, base, path, mtime_ns, layout, stored, total - current, total, settings.keep_missing)

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
        preparer = Preparer(encoder.preprocessing, self._settings.max_pixels, known.seems_known)
        batches = BatchWriter(self._writer, encoder, preparer, known, plan)
        self._started = published = time.monotonic()
        pause = self._settings.publish_every
        self._tell(stage="embedding", total=total)
        try:
            for chunk, prepared in prepare_all(chunks, preparer, self._settings.workers):
                counts = batches.write(chunk, prepared)
                self._tell(
                    done=self._state.done + len(prepared),
                    embedded=self._state.embedded + counts.embedded,
                    reused=self._state.reused + counts.reused,
                    failed=self._state.failed + counts.failed,
                )
                if self._stop():
                    break
                if time.monotonic() - published >= pause:
                    began = time.monotonic()
                    known.follow(self._writer.publish())
                    published = time.monotonic()
                    pause = max(self._settings.publish_every, _PUBLISH_SHARE * (published - began))
        finally:
            known.close()
        return batches.claimed

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
        self._listen(self._state)

    def _training(self, _what: str, done: int, total: int) -> None:
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
        )
