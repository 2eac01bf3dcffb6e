"""One picture from its source to what the encoder reads; runs in worker threads, where Pillow lets go of the GIL."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from clipsearch.errors import PictureError
from clipsearch.pictures import Appearance, appearance, content_hash, fit, read_file, read_picture
from clipsearch.types import PictureFacts, Pixels, Preprocessing
from clipsearch_indexer.candidates import Candidate, Chunk

_CHUNKS_AHEAD = 2


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
    """How pictures are prepared: for which model, within which pixel limit, and which contents need no decoding."""

    preprocessing: Preprocessing
    max_pixels: int
    seems_known: Callable[[str], bool]

    def prepare(self, candidate: Candidate) -> Prepared:
        """Read, hash and, unless the content seems known, decode and resize. Never raises for a bad picture."""
        try:
            data = _read(candidate)
        except PictureError as error:
            return Prepared(candidate, error=error)
        prepared = Prepared(candidate, len(data), content_hash(data), data=data)
        return prepared if self.seems_known(prepared.content_hash) else self.decode(prepared)

    def decode(self, prepared: Prepared) -> Prepared:
        """Decode and resize a prepared picture's `data`."""
        wanted = self.preprocessing
        try:
            picture = read_picture(
                prepared.data or b"", max_pixels=self.max_pixels, draft=(wanted.width, wanted.height)
            )
        except PictureError as error:
            return Prepared(prepared.candidate, prepared.size, prepared.content_hash, error=error)
        return Prepared(
            prepared.candidate,
            prepared.size,
            prepared.content_hash,
            picture.facts,
            appearance(picture.image),
            fit(picture.image, wanted),
        )


def _read(candidate: Candidate) -> bytes:
    if isinstance(candidate.source, Path):
        return read_file(candidate.source)
    if candidate.source is None:
        raise PictureError("empty", "The Parquet row holds no picture.")
    return candidate.source


def prepare_all(chunks: Iterable[Chunk], preparer: Preparer, workers: int) -> Iterator[tuple[Chunk, list[Prepared]]]:
    """Prepare chunks in `workers` threads, a bounded number ahead of the consumer, in order."""
    waiting: deque[tuple[Chunk, list[Future[Prepared]]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        try:
            for chunk in chunks:
                waiting.append((chunk, [pool.submit(preparer.prepare, c) for c in chunk.candidates]))
                if len(waiting) > _CHUNKS_AHEAD:
                    yield _results(waiting.popleft())
            while waiting:
                yield _results(waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _results(entry: tuple[Chunk, list[Future[Prepared]]]) -> tuple[Chunk, list[Prepared]]:
    chunk, futures = entry
    return chunk, [future.result() for future in futures]
