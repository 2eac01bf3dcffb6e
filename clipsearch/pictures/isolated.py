"""Reading and decoding in processes of their own, so that a decoder may crash or never end and only its picture is
lost."""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import LifoQueue
from subprocess import DEVNULL, PIPE, Popen
from typing import IO, Any, TypeVar

import msgspec
import numpy as np

from clipsearch.errors import ClipsearchError, PictureError
from clipsearch.pictures import worker
from clipsearch.pictures.for_model import Decoded, Target
from clipsearch.pictures.messages import (
    DECODE,
    JOB,
    MOST,
    NOBODY,
    READ,
    Content,
    Decoding,
    Job,
    ReadGroup,
    Refused,
    SharedPixels,
    receive,
    send,
)
from clipsearch.types import Pixels

TIME_LIMIT = 60.0
"""Seconds that one picture may take to decode. The slowest formats decode some five million pixels a second, and 200
million are the most that is tried by default."""

Source = str | bytes
"""A picture: the path of its file, or what would be in it."""
Span = tuple[float, float]
"""When something began and ended, seconds by `time.perf_counter`."""
Wanted = Callable[[Sequence[str]], Sequence[bool]]
"""Which of the pictures with these `clipsearch.pictures.content_hash` are to be decoded."""

_Answer = TypeVar("_Answer")

_SPARE: list[_Process] = []
"""Processes that wait for further work: to start one takes as long as to decode fifty pictures. They end by themselves
after `worker.IDLE` seconds."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A picture that was read: its bytes, their hash and, where it was wanted, what was `decoded`, and when."""

    size: int
    content_hash: str
    decoded: Decoded | None = None
    decoding: Span | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What became of some pictures, in their order: by which process, and when it was `reading` those that it survived.
    Of one that could not be read or decoded there is the error, with the reason "crashed" or "too slow" where that was
    the decoder's end."""

    process: int
    reading: Span | None
    pictures: list[Looked | PictureError]


class Decoders:
    """Up to `count` processes that decode pictures for a `target`. Safe to use from several threads.

    As a context manager it lets go of them at its end; where that is an error, at once.
    """

    def __init__(self, count: int, target: Target) -> None:
        self.count, self.shape = count, target.shape
        self._job = Job(target, TIME_LIMIT)
        self._processes: list[_Process | None] = [None] * count
        # The one used last comes first, so that few pictures need few processes.
        self._free: LifoQueue[int] = LifoQueue()
        for number in reversed(range(count)):
            self._free.put(number)
        self._over = False

    def __enter__(self) -> Decoders:
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        if kind is not None:
            self.stop()
        for _ in self._processes:
            process = self._processes[self._free.get()]
            if process is not None and process.is_alive and not self._over:
                _SPARE.append(process)
            elif process is not None:
                process.end()
        while len(_SPARE) > self.count:
            _SPARE.pop(0).end()

    def stop(self) -> None:
        """End all processes, whatever they are doing, for good: what is being decoded is lost."""
        self._over = True
        for process in self._processes:
            if process is not None:
                process.kill()

    def decode(self, source: Source) -> Looked:
        """Read and decode one picture.

        Raises:
            PictureError: it cannot be read or decoded, it crashed the decoder, or took longer than `TIME_LIMIT`.
            ClipsearchError: processes cannot be started, or were stopped.
        """
        (picture,) = self.look([source], all_wanted).pictures
        if isinstance(picture, PictureError):
            raise picture
        return picture

    def look(self, sources: Sequence[Source], wanted: Wanted, into: Pixels | None = None) -> Group:
        """Read at most `messages.MOST` pictures, and decode those that are `wanted`; waits for a free process.

        Args:
            sources: the pictures.
            wanted: which of them.
            into: where their pixels go, uint8 [n, height, width, 3]; by default to new memory, which takes as long to
                get as to fill.

        Raises:
            ClipsearchError: processes cannot be started, or were stopped.
        """
        room = np.empty((len(sources), *self._job.target.shape), np.uint8) if into is None else into
        number = self._free.get()
        try:
            return self._look(number, sources, wanted, room)
        finally:
            self._free.put(number)

    def _look(self, number: int, sources: Sequence[Source], wanted: Wanted, room: Pixels) -> Group:
        reading: Span | None = None
        seen: dict[int, Looked | PictureError] = {}
        ends: Counter[int] = Counter()
        while left := [place for place in range(len(sources)) if place not in seen]:
            if ends[NOBODY] > 1:
                left = left[:1]  # the one whose reading ends processes is found one by one
            process, began = self._process(number), time.monotonic()
            try:
                reading, pictures = process.look(
                    self._job, [sources[place] for place in left], wanted, [room[place] for place in left]
                )
                seen |= zip(left, pictures, strict=True)
            except (EOFError, OSError):
                place = _culprit(process.at, left)
                error = self._ended(number, process, time.monotonic() - began, again=ends[place] > 0)
                if error is not None and place != NOBODY:
                    seen[place] = error
                ends[place] += 1
        return Group(number, reading, [seen[place] for place in range(len(sources))])

    def _process(self, number: int) -> _Process:
        if self._over:
            raise ClipsearchError("Decoding was stopped; start again to go on.")
        try:
            process = self._processes[number] = self._processes[number] or _spare()
        except OSError as error:
            raise ClipsearchError(
                f"No process can be started to decode pictures ({error.strerror}); is there memory left?"
            ) from error
        if self._over:  # while it was being started
            process.kill()
        return process

    def _ended(self, number: int, process: _Process, seconds: float, *, again: bool) -> PictureError | None:
        """Why the picture that it was at, for so many seconds at most, cannot be decoded; None where it ought to be
        tried once more, since something else may have ended the process: it ends by itself while nothing is wanted."""
        self._processes[number] = None
        status = process.end()
        if not process.started and not self._over:
            raise ClipsearchError(
                f"The process that decodes pictures ended as it started (exit status {status}); check that "
                f"`{sys.executable}` runs and that there is memory left, then start again."
            )
        limit = self._job.seconds
        if status == worker.TOO_LONG and seconds >= limit:
            return PictureError("too slow", f"The picture took longer than {limit:g} s to decode; save it anew.")
        if again:
            return PictureError("crashed", "The picture crashed the decoder; copy it again, or save it anew.")
        return None


def all_wanted(hashes: Sequence[str]) -> list[bool]:
    """`Wanted` of whoever wants every picture decoded."""
    return [True] * len(hashes)


def prestart() -> None:
    """Start a process in the background, for the `Decoders` that will soon be wanted."""
    _SPARE.append(_spare())


class _Process:
    def __init__(self) -> None:
        # Not `multiprocessing`, which runs the caller's main module once more in each process.
        self._memory = _memory()
        self._name = str(self._memory.fileno()) if self._memory else f"clipsearch-{os.getpid()}-{id(self)}"
        code = f"import sys; sys.path[:] = {sys.path!r}; from clipsearch.pictures.worker import main; main(sys.argv[1])"
        self._process = Popen(
            [sys.executable, "-c", code, self._name],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": "1"},  # NumPy's threads: there is a process for each processor
            pass_fds=[self._memory.fileno()] if self._memory else (),
            start_new_session=True,  # Ctrl-C in a terminal is not for it
        )
        self._job: Job | None = None
        self._shared: SharedPixels | None = None
        self.started = False

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def at(self) -> int:
        """The place, in the group it was given last, of the picture that it is decoding or was when it ended; `NOBODY`
        where it was at none."""
        return self._shared.at if self._shared else NOBODY

    def kill(self) -> None:
        with suppress(OSError):
            self._process.kill()

    def look(
        self, job: Job, sources: Sequence[Source], wanted: Wanted, into: Sequence[Pixels]
    ) -> tuple[Span, list[Looked | PictureError]]:
        """Read pictures, and decode some. Raises `EOFError` or `OSError` where the process ended."""
        if job != self._job:
            self._take(job)
        assert self._shared is not None
        assert len(sources) <= MOST
        self._shared.at = NOBODY
        group = self._asked(READ, [_shown(one) for one in sources], ReadGroup)
        pictures = [_looked(outcome) for outcome in group.outcomes]
        readable = [(place, one) for place, one in enumerate(pictures) if isinstance(one, Looked)]
        asked = wanted([one.content_hash for _, one in readable])
        decode = [place for (place, _), is_wanted in zip(readable, asked, strict=True) if is_wanted]
        if decode:
            for place, decoding in zip(decode, self._asked(DECODE, decode, list[Decoding]), strict=True):
                pictures[place] = self._decoded(place, pictures[place], decoding, into[place])
        return (group.began, group.ended), pictures

    def _decoded(
        self, place: int, picture: Looked | PictureError, decoding: Decoding, into: Pixels
    ) -> Looked | PictureError:
        assert isinstance(picture, Looked)
        assert self._shared is not None
        found = decoding.outcome
        if isinstance(found, Refused):
            return PictureError(found.reason, found.message)
        into[:] = self._shared.pixels[place]
        decoded = Decoded(found.facts, found.looks, into, found.thumbnail)
        return Looked(picture.size, picture.content_hash, decoded, (decoding.began, decoding.ended))

    def _asked(self, kind: int, content: Any, answer: type[_Answer]) -> _Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        send(self._process.stdin, kind, content)
        return msgspec.msgpack.decode(receive(self._process.stdout)[1], type=answer)

    def _take(self, job: Job) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if not self.started:
            receive(self._process.stdout)
            self.started = True
        if self._memory:
            os.ftruncate(self._memory.fileno(), SharedPixels.size(job.target))
        self._shared = SharedPixels(self._name, job.target)
        send(self._process.stdin, JOB, job)
        self._job = job

    def end(self) -> int:
        """End it at once, if it has not ended; returns its exit status."""
        self.kill()
        status = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._memory):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        return status


def _culprit(at: int, left: Sequence[int]) -> int:
    """Whose decoding a process ended over; a picture alone also answers for its reading, of several `NOBODY` does."""
    if at < len(left):
        return left[at]
    return left[0] if len(left) == 1 else NOBODY


def _shown(source: Source) -> tuple[bool, bytes]:
    """What a process is told of a picture, see `messages.Source`."""
    if isinstance(source, bytes):
        return False, source
    try:
        return True, os.fsencode(source)
    except UnicodeEncodeError:  # no file here has such a name: it will not be found
        return True, source.encode("utf-8", "surrogatepass")


def _looked(outcome: Content | Refused) -> Looked | PictureError:
    if isinstance(outcome, Refused):
        return PictureError(outcome.reason, outcome.message)
    return Looked(outcome.size, outcome.content_hash)


def _memory() -> IO[bytes] | None:
    """A file without a name to share, in memory where the system can; None on Windows, which names the mapping."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("clipsearch"), "r+b")
    return tempfile.TemporaryFile() if os.name != "nt" else None


def _spare() -> _Process:
    while _SPARE:
        process = _SPARE.pop()
        if process.is_alive:
            return process
        process.end()
    return _Process()


@atexit.register
def _end_spare() -> None:
    while _SPARE:
        _SPARE.pop().end()


if hasattr(os, "register_at_fork"):
    # A child of this process must not talk to what is its parent's.
    os.register_at_fork(after_in_child=_SPARE.clear)
