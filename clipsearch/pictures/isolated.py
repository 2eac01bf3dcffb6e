"""Decoding in processes of their own, so that a decoder may crash or never end and only its picture is lost."""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import LifoQueue
from subprocess import DEVNULL, PIPE, Popen
from typing import IO

import msgspec
import numpy as np

from clipsearch.errors import ClipsearchError, PictureError
from clipsearch.pictures import worker
from clipsearch.pictures.for_model import Decoded, Target
from clipsearch.pictures.messages import FOUND, JOB, PICTURE, Found, Job, Refused, map_shared, receive, send

TIME_LIMIT = 60.0
"""Seconds that one picture may take. The slowest formats decode some five million pixels a second, and 200 million are
the most that is tried by default."""

_SPARE: list[_Process] = []
"""Processes that wait for further work: to start one takes as long as to decode fifty pictures. They end by themselves
after `worker.IDLE` seconds."""


class Decoders:
    """Up to `count` processes that decode pictures for a `target`. Safe to use from several threads.

    As a context manager it lets go of them at its end; where that is an error, at once.
    """

    def __init__(self, count: int, target: Target) -> None:
        self.count = count
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

    @contextmanager
    def one(self) -> Iterator[int]:
        """The number of a process that nobody else uses as long as the context lasts; waits for one."""
        number = self._free.get()
        try:
            yield number
        finally:
            self._free.put(number)

    def decode(self, number: int, data: bytes) -> Decoded:
        """Decode the bytes of a picture file with the process of that number, from `one`.

        Raises:
            PictureError: it cannot be decoded, it crashed the decoder, or took longer than `TIME_LIMIT`.
            ClipsearchError: processes cannot be started, or were stopped.
        """
        for _ in range(2):  # something else may have ended the process: the picture is tried once more
            if self._over:
                raise ClipsearchError("Decoding was stopped; start again to go on.")
            process = self._processes[number] = self._processes[number] or _spare()
            try:
                return process.decode(self._job, data)
            except (EOFError, OSError):
                self._processes[number] = None
                status = process.end()
            if self._over:
                continue
            if not process.started:
                raise ClipsearchError(
                    f"The process that decodes pictures ended as it started (exit status {status}); check that "
                    f"`{sys.executable}` runs and that there is memory left, then start again."
                )
            if status == worker.TOO_LONG:
                raise PictureError(
                    "too slow", f"The picture took longer than {self._job.seconds:g} s to decode; save it anew."
                )
        raise PictureError("crashed", "The picture crashed the decoder; copy it again, or save it anew.")


def prestart() -> None:
    """Start a process in the background, for the `Decoders` that will soon be wanted."""
    _SPARE.append(_spare())


class _Process:
    def __init__(self) -> None:
        # Not `multiprocessing`, which runs the caller's main module once more in each process.
        self._memory = _memory()
        self._shared = str(self._memory.fileno()) if self._memory else f"clipsearch-{os.getpid()}-{id(self)}"
        code = f"import sys; sys.path[:] = {sys.path!r}; from clipsearch.pictures.worker import main; main(sys.argv[1])"
        self._process = Popen(
            [sys.executable, "-c", code, self._shared],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            pass_fds=[self._memory.fileno()] if self._memory else (),
            start_new_session=True,  # Ctrl-C in a terminal is not for it
        )
        self._job: Job | None = None
        self.started = False

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        with suppress(OSError):
            self._process.kill()

    def decode(self, job: Job, data: bytes) -> Decoded:
        """Raises `EOFError` or `OSError` where the process ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if not self.started:
            receive(self._process.stdout)
            self.started = True
        if job != self._job:
            self._take(job)
        send(self._process.stdin, PICTURE, data)
        kind, answer = receive(self._process.stdout)
        if kind != FOUND:
            refused = msgspec.msgpack.decode(answer, type=Refused)
            raise PictureError(refused.reason, refused.message)
        found = msgspec.msgpack.decode(answer, type=Found)
        pixels = np.frombuffer(self._pixels, np.uint8).reshape(job.target.shape).copy()
        return Decoded(found.facts, found.looks, pixels, found.thumbnail)

    def _take(self, job: Job) -> None:
        assert self._process.stdin is not None
        size = int(np.prod(job.target.shape))
        if self._memory:
            os.ftruncate(self._memory.fileno(), size)
        self._pixels = map_shared(self._shared, size)
        send(self._process.stdin, JOB, msgspec.msgpack.encode(job))
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
