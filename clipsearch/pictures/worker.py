"""A process that reads and decodes pictures: what runs in it.

A decoder is C code that looks at files from anywhere. Here it may crash or never end without harm to the process that
wants the pictures (`clipsearch.pictures.isolated`). Little is imported, so that it starts in a fraction of a second.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from clipsearch.errors import PictureError
from clipsearch.pictures.content import content_hash
from clipsearch.pictures.for_model import decode_for
from clipsearch.pictures.messages import (
    ANSWER,
    DECODE,
    JOB,
    NOBODY,
    READ,
    READY,
    Content,
    Decoding,
    Found,
    Job,
    ReadGroup,
    Refused,
    SharedPixels,
    Source,
    receive,
    send,
)
from clipsearch.pictures.paths import read_file
from clipsearch.types import Pixels

IDLE = 60.0
"""Seconds without a request after which the process ends."""

TOO_LONG = 1
"""Exit status of a process that took too long; that of `faulthandler`'s timer."""

_READERS = 4
"""Files that are read at a time from a disk, or over a network, that answers several requests as quickly as one."""

_AT_ONCE = 0.002
"""Seconds for the first file of a group below which threads would take longer than the reading."""


def main(shared: str) -> None:
    """Answer the frames on the standard input until it ends. `shared` names the memory for pixels."""
    # Ctrl-C is for the process that started this one, which wants what is being decoded.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = sys.stdin.buffer, _standard_output()
    with (
        open(os.devnull, "w") as nowhere,
        suppress(EOFError, BrokenPipeError),
        ThreadPoolExecutor(_READERS) as readers,
    ):
        send(answers, READY)
        worker = _Worker(readers, nowhere)
        while True:
            # A timer in C, which ends the process even where a decoder never comes back.
            faulthandler.dump_traceback_later(IDLE, exit=True, file=nowhere)
            kind, content = receive(requests)
            if kind == JOB:
                job = msgspec.msgpack.decode(content, type=Job)
                worker.take(job, SharedPixels(shared, job.target))
            elif kind == READ:
                faulthandler.cancel_dump_traceback_later()  # a slow network takes what it takes
                sources = msgspec.msgpack.decode(content, type=list[Source])
                del content  # the same bytes, which may be many
                send(answers, ANSWER, worker.read(sources))
                del sources
            elif kind == DECODE:
                send(answers, ANSWER, worker.decode(msgspec.msgpack.decode(content, type=list[int])))


class _Worker:
    def __init__(self, readers: ThreadPoolExecutor, nowhere: IO[str]) -> None:
        self._readers, self._nowhere = readers, nowhere
        self._group: list[bytes | PictureError] = []

    def take(self, job: Job, shared: SharedPixels) -> None:
        self._job, self._shared = job, shared

    def read(self, sources: Sequence[Source]) -> ReadGroup:
        """Read a group, which is kept to be decoded."""
        began = time.perf_counter()
        first = _read(sources[0])
        is_quick = time.perf_counter() - began < _AT_ONCE
        self._group = [first, *(map if is_quick else self._readers.map)(_read, sources[1:])]
        outcomes = [_refused(data) if isinstance(data, PictureError) else _content(data) for data in self._group]
        return ReadGroup(began, time.perf_counter(), outcomes)

    def decode(self, places: Sequence[int]) -> list[Decoding]:
        """Decode pictures of the group into the shared memory, at their places."""
        decoded = [self._decoded(place) for place in places]
        self._shared.at = NOBODY
        self._group = []  # those that were not wanted
        return decoded

    def _decoded(self, place: int) -> Decoding:
        self._shared.at = place
        faulthandler.dump_traceback_later(self._job.seconds, exit=True, file=self._nowhere)
        began = time.perf_counter()
        data, self._group[place] = self._group[place], b""
        assert isinstance(data, bytes)
        outcome = self._outcome(data, self._shared.pixels[place])
        return Decoding(began, time.perf_counter(), outcome)

    def _outcome(self, data: bytes, pixels: Pixels) -> Found | Refused:
        try:
            decoded = decode_for(self._job.target, data)
        except PictureError as error:
            return _refused(error)
        pixels[:] = decoded.pixels
        return Found(decoded.facts, decoded.looks, decoded.thumbnail)


def _read(source: Source) -> bytes | PictureError:
    is_path, data = source
    try:
        return read_file(Path(os.fsdecode(data))) if is_path else data
    except PictureError as error:
        return error
    except MemoryError:
        return PictureError("too large", "The file does not fit into memory.")


def _content(data: bytes) -> Content:
    return Content(len(data), content_hash(data))


def _refused(error: PictureError) -> Refused:
    return Refused(error.reason, str(error))


def _standard_output() -> IO[bytes]:
    """The standard output as it is now; whatever a library prints there from here on goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    return answers
