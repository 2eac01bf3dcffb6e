"""The steps of an import: compare, look at pictures, write batches, publish."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from clipsearch.errors import SourceError
from clipsearch.pictures import DEFAULT_MAX_PIXELS
from clipsearch.pictures.for_model import Target
from clipsearch.pictures.isolated import Decoders
from clipsearch.store.background import MIN_PICTURES
from clipsearch.store.segments import failures_of
from clipsearch.store.writer import IndexWriter
from clipsearch.types import ImportReport
from clipsearch_indexer.chunks import chunked
from clipsearch_indexer.model import RunModel
from clipsearch_indexer.probes import store_probes
from clipsearch_indexer.progress import Listener, Progress
from clipsearch_indexer.vectors.compare import Comparison, Counts, New
from clipsearch_indexer.vectors.look import Looked, Looker
from clipsearch_indexer.vectors.places import absolute, as_prefix, roots_for
from clipsearch_indexer.vectors.rows import rows_of
from clipsearch_indexer.vectors.tables import Block, VectorTable
from clipsearch_indexer.vectors.unit import as_stored

_NUMBERS_AT_A_TIME = 1 << 22
"""Of the vectors held in memory: 32 MB of float64."""

_PATHS_AT_A_TIME = 65_536
_LOOKED_AT_TOGETHER = 32

_LONGEST_BATCH = 2.0
"""Seconds of looking at pictures after which what there is becomes a batch: so much is lost by a crash, and so long
does Ctrl-C take."""

_PUBLISH_EVERY, _PUBLISH_SHARE = 30.0, 10
"""Seconds between publications, and what share of the time they may take: a tenth. As in an indexing run."""


@dataclass(frozen=True, slots=True)
class _Done:
    imported: int = 0
    absent: int = 0
    failed: int = 0

    @property
    def rows(self) -> int:
        return self.imported + self.failed


class Import:
    """One import into one open index; see `import_vectors` for the arguments."""

    def __init__(
        self,
        writer: IndexWriter,
        model: RunModel,
        tables: Sequence[VectorTable],
        base: Path,
        workers: int,
        progress: Listener,
        stop: Callable[[], bool],
    ) -> None:
        self._writer, self._model, self._tables, self._base = writer, model, tables, base
        self._workers, self._listen, self._stop = workers, progress, stop
        self._started = self._published = time.monotonic()
        self._pause = _PUBLISH_EVERY
        self._done = _Done()
        writer.tell = lambda _, done, total: progress(Progress("training", done, total))

    def run(self) -> ImportReport:
        """Do it and say what was done."""
        # What an interrupted run left behind is published first, so that the comparison knows it.
        self._writer.publish()
        comparison = Comparison(self._writer.layout.tmp / "import.duckdb", self._writer.catalog)
        try:
            counts = self._compare(comparison)
            if counts.new:
                self._import(comparison, counts.new)
        except SourceError:  # a file breaks off in the middle: what came before is there to be searched
            self._writer.publish()
            raise
        finally:
            comparison.close()
        interrupted = self._stop()
        self._listen(Progress("publishing"))
        self._writer.publish()
        self._listen(Progress("done"))
        return self._report(counts, interrupted=interrupted)

    def _compare(self, comparison: Comparison) -> Counts:
        self._listen(Progress("scanning"))
        for table in self._tables:
            for paths in table.paths(_PATHS_AT_A_TIME):
                comparison.add([absolute(path, self._base) for path in paths], table.mtime_ns)
        index = self._writer.layout.path
        self._writer.roots = roots_for(comparison, self._writer.roots, self._base, index)
        return comparison.compare({alias: as_prefix(root.resolve(index)) for alias, root in self._writer.roots.items()})

    def _import(self, comparison: Comparison, total: int) -> None:
        self._listen(Progress("loading the model", total=total))
        encoder = self._model.encoder
        if self._writer.manifest.rows + total >= MIN_PICTURES:
            store_probes(self._writer.layout, encoder, self._probing)
        index = self._writer.layout.path
        folders = {alias: root.resolve(index) for alias, root in self._writer.roots.items()}
        self._started = self._published = time.monotonic()
        with (
            Decoders(self._workers, Target(encoder.preprocessing, DEFAULT_MAX_PIXELS)) as decoders,
            ThreadPoolExecutor(self._workers, thread_name_prefix="look") as pool,
        ):
            looker = Looker(folders, decoders)
            for table, block, new in self._new_blocks(comparison):
                places = [one.number for one in new]
                start = 0
                for looked in _in_time(_looked(pool, looker, new)):
                    self._append(table, block, places[start : start + len(looked)], looked)
                    start += len(looked)
                    seconds = time.monotonic() - self._started
                    failed = self._done.failed
                    self._listen(Progress("importing", self._done.rows, total, failed=failed, seconds=seconds))
                    if self._stop():
                        return
                    self._publish_at_times()

    def _new_blocks(self, comparison: Comparison) -> Iterator[tuple[VectorTable, Block, list[New]]]:
        """Blocks with new rows, these with their numbers in the block."""
        size = max(_NUMBERS_AT_A_TIME // self._model.ref.dim, 1)
        before = 0
        for table in self._tables:
            for block in table.blocks(size) if comparison.any_new(before, table.rows) else ():
                start = before + block.first
                if new := comparison.new(start, len(block.vectors)):
                    yield table, block, [replace(one, number=one.number - start) for one in new]
            before += table.rows

    def _append(self, table: VectorTable, block: Block, places: Sequence[int], looked: Sequence[Looked]) -> None:
        """Write one batch of the rows of a block at `places`."""
        vectors, bad = as_stored(block.vectors[places])
        wrong = {place: block.wrong.get(row, bad.get(place)) for place, row in enumerate(places)}
        good = [place for place, reason in wrong.items() if reason is None]
        kept = [looked[place] for place in good]
        ids = self._writer.take_ids(len(good))
        self._writer.append(
            rows_of(kept, ids, table.columns, block.rows.take([places[place] for place in good])),
            vectors[good],
            failures=failures_of(
                [_failure(table, looked[place].new, reason) for place, reason in wrong.items() if reason is not None]
            ),
        )
        self._done = _Done(
            self._done.imported + len(good),
            self._done.absent + sum(one.seen is None for one in kept),
            self._done.failed + len(places) - len(good),
        )

    def _publish_at_times(self) -> None:
        if time.monotonic() - self._published < self._pause:
            return
        began = time.monotonic()
        self._writer.publish()
        self._published = time.monotonic()
        self._pause = max(_PUBLISH_EVERY, _PUBLISH_SHARE * (self._published - began))

    def _probing(self, done: int, total: int) -> None:
        self._listen(Progress("embedding sample texts", done, total))

    def _report(self, counts: Counts, *, interrupted: bool) -> ImportReport:
        manifest = self._writer.manifest
        return ImportReport(
            index=self._writer.layout.path,
            model=manifest.model.name,
            seen=counts.seen,
            imported=self._done.imported,
            absent=self._done.absent,
            known=counts.seen - counts.repeated - counts.new,
            repeated=counts.repeated,
            failed=self._done.failed,
            recovered=self._writer.recovered,
            total=manifest.rows,
            version=manifest.version,
            seconds=time.monotonic() - self._started,
            interrupted=interrupted,
        )


def _looked(pool: ThreadPoolExecutor, looker: Looker, new: Sequence[New]) -> Iterator[list[Looked]]:
    """Looks at pictures a few at a time, since to hand over one takes longer than to find that it is not there."""
    yield from pool.map(lambda some: [looker.look(one) for one in some], chunked(new, _LOOKED_AT_TOGETHER))


def _in_time(found: Iterator[list[Looked]]) -> Iterator[list[Looked]]:
    """What is found in at most so many seconds, together."""
    together: list[Looked] = []
    began = time.monotonic()
    for some in found:
        together += some
        if time.monotonic() - began >= _LONGEST_BATCH:
            yield together
            together, began = [], time.monotonic()
    if together:
        yield together


def _failure(table: VectorTable, new: New, message: str) -> dict[str, object]:
    return {
        "root": new.root,
        "path": new.path,
        "reason": "bad vector",
        "message": message,
        "bytes": 0,
        "mtime_ns": table.mtime_ns,
        "failed_at": datetime.now(UTC).replace(tzinfo=None),
    }
