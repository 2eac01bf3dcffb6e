"""Time and memory of a process (Linux: memory is read from /proc)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of this process: `own`, which only it can give back, and `mapped` pages of files."""

    own: int
    mapped: int

    def __sub__(self, earlier: Memory) -> Memory:
        return Memory(self.own - earlier.own, self.mapped - earlier.mapped)


def memory() -> Memory:
    """What is resident now."""
    return Memory(_bytes("/proc/self/status", "RssAnon"), _bytes("/proc/self/status", "RssFile"))


def available() -> int:
    """Bytes of memory that a new process could use."""
    return _bytes("/proc/meminfo", "MemAvailable")


def _bytes(file: str, key: str) -> int:
    lines = dict(line.split(":", 1) for line in Path(file).read_text().splitlines())
    return int(lines[key].split()[0]) * 1024


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of a call: by the clock, and the processor's, which other programs do not disturb."""

    median: float
    p95: float
    processor: float


def times(call: Callable[[Any], object], inputs: Iterable[Any]) -> Times:
    """Time `call` on each of `inputs`, one after the other."""
    spent = []
    busy = time.process_time()
    for value in inputs:
        started = time.perf_counter()
        call(value)
        spent.append(1e3 * (time.perf_counter() - started))
    busy = 1e3 * (time.process_time() - busy) / len(spent)
    return Times(float(np.median(spent)), float(np.quantile(spent, 0.95)), busy)


def alone(function: Callable[..., T], *arguments: object) -> T:
    """Run a function in a fresh process, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def bytes_in(path: Path) -> int:
    """Size of a file, or of all files of a folder."""
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def table(columns: list[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
