"""Pictures from their source to what the encoder reads, in groups: each is read and decoded by one process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from clipsearch.errors import PictureError, SourceError
from clipsearch.pictures import Appearance
from clipsearch.pictures.isolated import Decoders, Looked, Source, Wanted, all_wanted
from clipsearch.pictures.messages import MOST
from clipsearch.store.manifest import Root
from clipsearch.store.picture_store import PictureStore
from clipsearch.types import PictureFacts, Pixels
from clipsearch_indexer.candidates import Candidate, Chunk
from clipsearch_indexer.chunks import one_ahead
from clipsearch_indexer.roots import is_offline
from clipsearch_indexer.timing import Timing

_CHUNKS_AHEAD = 2
_GROUPS_A_PROCESS = 4
"""Groups of a chunk for each process, at least, so that all have about as much to do."""
_BYTES_A_GROUP = 2**25
"""A process has a whole group in memory."""
_GONE = ("missing", "unreadable")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A candidate after reading. `error` says why it failed; else `content_hash` is the BLAKE2b-128 of its bytes, and
    unless its content seems known `facts`, `looks` and `pixels` are there."""

    candidate: Candidate
    size: int = 0
    content_hash: str = ""
    facts: PictureFacts | None = None
    looks: Appearance | None = None
    pixels: Pixels | None = None
    error: PictureError | None = None


@dataclass(frozen=True, slots=True)
class Preparer:
    """How pictures are prepared: with which processes, which contents need no decoding, and where thumbnails go."""

    decoders: Decoders
    seem_known: Callable[[Sequence[str]], Sequence[bool]]
    timing: Timing
    thumbnails: PictureStore | None = None

    def prepare(self, candidates: Sequence[Candidate], room: Pixels) -> list[Prepared]:
        """Read, hash and, unless the content seems known, decode and resize a group into `room`, uint8 [n, height,
        width, 3]. Never raises for a bad picture."""
        return self._looked(candidates, lambda hashes: [not known for known in self.seem_known(hashes)], room)

    def decode(self, prepared: Prepared) -> Prepared:
        """The picture once more, decoded whatever seems known."""
        return self._looked([prepared.candidate], all_wanted, None)[0]

    def groups(self, chunk: Chunk) -> Iterator[list[Candidate]]:
        """The candidates of a chunk, as they are prepared together."""
        most = min(MOST, -(-len(chunk.candidates) // (_GROUPS_A_PROCESS * self.decoders.count)))
        group: list[Candidate] = []
        size = 0
        for candidate in chunk.candidates:
            if group and (len(group) == most or size + candidate.size > _BYTES_A_GROUP):
                yield group
                group, size = [], 0
            group.append(candidate)
            size += candidate.size
        if group:
            yield group

    def _looked(self, candidates: Sequence[Candidate], wanted: Wanted, room: Pixels | None) -> list[Prepared]:
        sources = [(candidate, candidate.source) for candidate in candidates]
        there = [(candidate, source) for candidate, source in sources if source is not None]
        found = self._found(there, wanted, room) if there else iter(())
        return [_empty(candidate) if source is None else next(found) for candidate, source in sources]

    def _found(
        self, group: Sequence[tuple[Candidate, Source]], wanted: Wanted, room: Pixels | None
    ) -> Iterator[Prepared]:
        looked = self.decoders.look([source for _, source in group], wanted, room)
        track = f"decode {looked.process}"
        if looked.reading is not None:
            self.timing.add("read", track, *looked.reading, pictures=len(group))
        for (candidate, _), picture in zip(group, looked.pictures, strict=True):
            if isinstance(picture, Looked) and picture.decoding is not None:
                self.timing.add("decode", track, *picture.decoding, path=candidate.path)
            yield self._prepared(candidate, picture)

    def _prepared(self, candidate: Candidate, picture: Looked | PictureError) -> Prepared:
        if isinstance(picture, PictureError):
            return Prepared(candidate, error=picture)
        size, content, decoded = picture.size, picture.content_hash, picture.decoded
        if decoded is None:
            return Prepared(candidate, size, content)
        if self.thumbnails and decoded.thumbnail:
            self.thumbnails.put(content, decoded.thumbnail)
        return Prepared(candidate, size, content, decoded.facts, decoded.looks, decoded.pixels)


def _empty(candidate: Candidate) -> Prepared:
    return Prepared(candidate, error=PictureError("empty", "The Parquet row holds no picture."))


@dataclass(frozen=True, slots=True)
class _Coming:
    """A chunk that is being prepared, and the memory its pixels go to."""

    chunk: Chunk
    room: Pixels
    groups: list[Future[list[Prepared]]]

    def wait(self) -> tuple[Chunk, list[Prepared]]:
        return self.chunk, [prepared for group in self.groups for prepared in group.result()]


def prepare_all(chunks: Iterable[Chunk], preparer: Preparer) -> Generator[tuple[Chunk, list[Prepared]], None, None]:
    """Prepare chunks, a bounded number ahead of the consumer, in order. The pixels of one are good until the next is
    asked for: their memory is used again."""
    waiting: deque[_Coming] = deque()
    rooms: list[Pixels] = []
    # One more than there are processes, so that each has its next group at hand.
    threads = ThreadPoolExecutor(preparer.decoders.count + 1, thread_name_prefix="prepare")
    try:
        with closing(one_ahead(chunks)) as ahead:
            for chunk in chain(ahead, [None] * _CHUNKS_AHEAD):
                if chunk is not None:
                    waiting.append(_begun(chunk, preparer, threads, rooms))
                if len(waiting) > _CHUNKS_AHEAD or (chunk is None and waiting):
                    coming = waiting.popleft()
                    with preparer.timing.span("wait", "main"):
                        prepared = coming.wait()
                    yield prepared
                    rooms.append(coming.room)
    except BaseException:  # an error, or nobody wants the rest
        preparer.decoders.stop()
        raise
    finally:
        threads.shutdown(wait=True, cancel_futures=True)


def _begun(chunk: Chunk, preparer: Preparer, threads: ThreadPoolExecutor, rooms: list[Pixels]) -> _Coming:
    count = len(chunk.candidates)
    room = rooms.pop() if rooms else np.empty((0, *preparer.decoders.shape), np.uint8)
    if len(room) < count:
        room = np.empty((count, *preparer.decoders.shape), np.uint8)
    groups: list[Future[list[Prepared]]] = []
    start = 0
    for group in preparer.groups(chunk):
        groups.append(threads.submit(preparer.prepare, group, room[start : start + len(group)]))
        start += len(group)
    return _Coming(chunk, room, groups)


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
