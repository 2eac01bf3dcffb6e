"""Where a run's time goes: seconds by stage, what held it up, and a trace to look at.

The main path waits for a batch of decoded pictures, embeds it, waits until nothing is being published, and writes it;
beside it processes read and decode, and one thread publishes.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Literal

from clipsearch.errors import UsageError
from clipsearch.models.towers.engine import processors
from clipsearch.types import RunTiming

Stage = Literal["read", "decode", "wait", "encode", "hold", "write", "publish"]

_BUSY = 0.7
"""From this share of its time on a stage has no time to spare."""


class Trace:
    """Writes spans of time as they end, in Chrome's trace event format, which https://ui.perfetto.dev opens.

    The format: "Trace Event Format", Google, "JSON Array Format" with complete events (`ph` "X", microseconds).
    Perfetto does without the closing bracket, so the trace of a run that was killed can be looked at, too.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file: IO[str] = path.expanduser().open("x", encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"The profile cannot be written to {path} ({error.strerror}); name a new file after --profile."
            ) from None
        self._tracks: dict[str, int] = {}
        self._lock = threading.Lock()
        self._file.write("[\n")

    def span(self, track: str, name: str, began: float, ended: float, **details: object) -> None:
        """Add what was done on a track from `began` to `ended`, seconds by `time.perf_counter`."""
        with self._lock:
            number = self._tracks.get(track)
            if number is None:
                number = self._tracks[track] = len(self._tracks)
                self._event(name="thread_name", ph="M", tid=number, args={"name": track})
            self._event(
                name=name, ph="X", tid=number, ts=round(began * 1e6), dur=round((ended - began) * 1e6), args=details
            )

    def _event(self, **event: object) -> None:
        self._file.write(json.dumps(event | {"pid": os.getpid()}) + ",\n")

    def close(self) -> None:
        """End the file."""
        with self._lock:
            self._event(name="process_name", ph="M", args={"name": "clipsearch index"})
            self._file.seek(self._file.tell() - 2)  # the comma of the last event
            self._file.write("\n]\n")
            self._file.close()


class Timing:
    """Adds up seconds by stage, from any thread, and hands spans on to a `trace`."""

    def __init__(self, trace: Trace | None = None) -> None:
        self._trace = trace
        self._lock = threading.Lock()
        self._seconds: dict[Stage, float] = defaultdict(float)
        self._began: float | None = None
        self._wall = 0.0

    @contextmanager
    def whole(self) -> Iterator[None]:
        """What all shares are shares of: from the first batch to the last one that is on the disk."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._wall += time.perf_counter() - began

    @contextmanager
    def span(self, stage: Stage, track: str, **details: object) -> Iterator[None]:
        """Count what is done in this context."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, track, began, time.perf_counter(), **details)

    def add(self, stage: Stage, track: str, began: float, ended: float, **details: object) -> None:
        """Count what was done from `began` to `ended`, seconds by `time.perf_counter`, in this process or another."""
        with self._lock:
            self._seconds[stage] += ended - began
        if self._trace is not None:
            self._trace.span(track, stage, began, ended, **details)

    def report(self, images: int, workers: int) -> RunTiming | None:
        """What there was in all; None where nothing had to be done."""
        if not self._wall:
            return None
        seconds = self._seconds
        shares = {
            "read": seconds["read"] / workers,
            "decode": seconds["decode"] / workers,
            "wait": seconds["wait"],
            "encode": seconds["encode"],
            "write": seconds["hold"] + seconds["write"],
        }
        part = {stage: min(1.0, spent / self._wall) for stage, spent in shares.items()}
        return RunTiming(
            seconds=self._wall,
            images_per_second=images / self._wall,
            workers=workers,
            bottleneck=_bottleneck(part, workers),
            **part,
        )


@contextmanager
def profiled(path: str | Path | None) -> Iterator[Timing]:
    """The timing of a run, which writes a trace to `path` if there is one.

    Raises:
        UsageError: `path` is there already, or cannot be made.
    """
    if path is None:
        yield Timing()
        return
    with closing(Trace(Path(path))) as trace:
        yield Timing(trace)


def _bottleneck(part: dict[str, float], workers: int) -> str:
    """One sentence: what held up the run, and what to change."""
    encode, wait, write = part["encode"], part["wait"], part["write"]
    if write > max(encode, wait):
        return (
            f"Writing the index held up the model {write:.0%} of the time: put it on a quicker disk, or give a "
            "larger --batch-size."
        )
    if encode >= _BUSY or (encode >= wait and part["decode"] < _BUSY):
        return f"The model was at work {encode:.0%} of the time: a smaller one, or a GPU, would be quicker."
    if part["read"] > part["decode"]:
        return f"Reading the pictures held up the model {wait:.0%} of the time: a quicker disk or network would help."
    return f"Decoding pictures held up the model {wait:.0%} of the time: {_more(workers)}"


def _more(workers: int) -> str:
    cores = processors()
    if workers < cores:
        return f"give more --workers (there are {cores} cores, and {workers} decoded)."
    return "it takes more cores, or smaller pictures, to be quicker."
