"""One picture from its source to what the encoder reads: threads read, processes decode."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from clipsearch.errors import PictureError, SourceError
from clipsearch.pictures import Appearance, content_hash, read_file
from clipsearch.pictures.isolated import Decoders
from clipsearch.store.manifest import Root
from clipsearch.store.picture_store import PictureStore
from clipsearch.types import PictureFacts, Pixels
from clipsearch_indexer.candidates import Candidate, Chunk
from clipsearch_indexer.chunks import one_ahead
from clipsearch_indexer.roots import is_offline
from clipsearch_indexer.timing import READERS_A_WORKER, Timing

_CHUNKS_AHEAD = 2
_GONE = ("missing", "unreadable")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A candidate after reading. `error` says why it failed; else `content_hash` is the BLAKE2b-128 of its bytes, and
    either `facts`, `looks` and `pixels` are there, or `data`, the encoded bytes of a picture whose content seems
    known."""

    candidate: Candidate
    size: int = 0
    content_hash: str = ""
    facts: PictureFacts | None = None
    looks: Appearance | None = None
    pixels: Pixels | None = None
    data: bytes | None = None
    error: PictureError | None = None


@dataclass(frozen=True, slots=True)
class Preparer:
    """How pictures are prepared: with which processes, which contents need no decoding, and where thumbnails go."""

    decoders: Decoders
    seems_known: Callable[[str], bool]
    timing: Timing
    thumbnails: PictureStore | None = None

    def prepare(self, candidate: Candidate) -> Prepared:
        """Read, hash and, unless the content seems known, decode and resize. Never raises for a bad picture."""
        try:
            with self.timing.span("read", threading.current_thread().name, path=candidate.path):
                data = _read(candidate)
                prepared = Prepared(candidate, len(data), content_hash(data), data=data)
        except PictureError as error:
            return Prepared(candidate, error=error)
        return prepared if self.seems_known(prepared.content_hash) else self.decode(prepared)

    def decode(self, prepared: Prepared) -> Prepared:
        """Decode and resize a prepared picture's `data`."""
        path = prepared.candidate.path
        try:
            with self.decoders.one() as number, self.timing.span("decode", f"decode {number}", path=path):
                decoded = self.decoders.decode(number, prepared.data or b"")
        except PictureError as error:
            return replace(prepared, data=None, error=error)
        if self.thumbnails and decoded.thumbnail:
            self.thumbnails.put(prepared.content_hash, decoded.thumbnail)
        return replace(prepared, data=None, facts=decoded.facts, looks=decoded.looks, pixels=decoded.pixels)


def _read(candidate: Candidate) -> bytes:
    if isinstance(candidate.source, Path):
        return read_file(candidate.source)
    if candidate.source is None:
        raise PictureError("empty", "The Parquet row holds no picture.")
    return candidate.source


def prepare_all(chunks: Iterable[Chunk], preparer: Preparer) -> Generator[tuple[Chunk, list[Prepared]], None, None]:
    """Prepare chunks, a bounded number ahead of the consumer, in order.

    There are more readers than processes that decode, so that one has its next picture at hand.
    """
    waiting: deque[tuple[Chunk, list[Future[Prepared]]]] = deque()
    readers = ThreadPoolExecutor(READERS_A_WORKER * preparer.decoders.count, thread_name_prefix="read")
    try:
        with closing(one_ahead(chunks)) as ahead:
            for chunk in ahead:
                waiting.append((chunk, [readers.submit(preparer.prepare, c) for c in chunk.candidates]))
                if len(waiting) > _CHUNKS_AHEAD:
                    yield _results(waiting.popleft(), preparer.timing)
            while waiting:
                yield _results(waiting.popleft(), preparer.timing)
    except BaseException:  # an error, or nobody wants the rest
        preparer.decoders.stop()
        raise
    finally:
        readers.shutdown(wait=True, cancel_futures=True)


def _results(entry: tuple[Chunk, list[Future[Prepared]]], timing: Timing) -> tuple[Chunk, list[Prepared]]:
    chunk, futures = entry
    with timing.span("wait", "main"):
        return chunk, [future.result() for future in futures]


def refuse_vanished(prepared: Iterable[Prepared], roots: Mapping[str, Root], index: Path) -> None:
    """Tell a disk that is gone from pictures that are gone.

    Raises:
        SourceError: a picture cannot be read since all of its root is missing or empty.
    """
    for alias in {p.candidate.root for p in prepared if p.error is not None and p.error.reason in _GONE}:
        place = roots[alias].resolve(index)
        if is_offline(place):
            raise SourceError(
                f"{place} is gone, or empty all of a sudden; is its disk still there? What was indexed before is kept: "
                "index it again once it is back."
            )
