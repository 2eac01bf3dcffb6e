"""How much memory a process takes together with those it started."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EVERY = 0.5
"""Seconds: to ask takes some ten milliseconds of a process with two gigabytes, which is one per cent of two cores."""


class Peak:
    """The most that was seen: `bytes`, None where the system does not tell."""

    bytes: int | None = None


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Watch a process and its children as long as the context lasts, twice a second."""
    peak, over = Peak(), threading.Event()

    def watch() -> None:
        while not over.wait(_EVERY):
            peak.bytes = max(peak.bytes or 0, memory_of(pid)) or None

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def memory_of(pid: int) -> int:
    """Bytes of a process and its descendants now, mapped files included; what they share counts once.

    It is Linux's proportional set size (`Pss` in `/proc/PID/smaps_rollup`, proc(5)); 0 where that is not to be had.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:  # no such system, or the process has just ended
        return 0
    own = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
    return own + sum(map(memory_of, children))
