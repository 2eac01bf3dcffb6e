"""What was embedded goes to the disk, and is published beside the embedding of what follows."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from clipsearch.store.manifest import Manifest
from clipsearch.store.writer import IndexWriter
from clipsearch_indexer.batches import BatchCounts, BatchWriter
from clipsearch_indexer.encode import EncodedBatch
from clipsearch_indexer.known import KnownContents
from clipsearch_indexer.pace import Pace
from clipsearch_indexer.timing import Timing


class Writing:
    """Writes batches, and publishes in a thread of its own when it is time.

    A batch is on the disk before the next one goes into the model, so a process that is killed loses one at most. As a
    context manager it ends when nothing is being published, also where an error ends the run.
    """

    def __init__(
        self, writer: IndexWriter, batches: BatchWriter, known: KnownContents, pace: Pace, timing: Timing
    ) -> None:
        self._writer, self._batches, self._known, self._pace, self._timing = writer, batches, known, pace, timing
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="publish")
        self._publishing: Future[Manifest | None] | None = None

    def __enter__(self) -> Writing:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=True)

    def put(self, batch: EncodedBatch) -> BatchCounts:
        """Write a batch, once nothing is being published; returns what became of it."""
        self.finish()
        with self._timing.span("write", "main", pictures=len(batch.prepared)):
            counts = self._batches.write(batch)
        if self._pace.is_due:
            self._publishing = self._thread.submit(self._publish)
        return counts

    def finish(self) -> None:
        """Wait until nothing is being published. Raises what publishing raised."""
        publishing, self._publishing = self._publishing, None
        if publishing is None:
            return
        with self._timing.span("hold", "main"):
            published = publishing.result()
        if published is not None:
            self._known.follow(published)  # before another version takes its place

    def _publish(self) -> Manifest | None:
        with self._timing.span("publish", "publish"):
            return self._pace.publish_if_due(self._writer)
