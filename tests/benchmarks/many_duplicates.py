"""A large index of made-up vectors with planted duplicates: time and memory of finding them.

Run by `duplicates.py --rows N`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from clipsearch.query.duplicates import duplicates
from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing

DIM = 256
_CHUNK = 20_000


def made_rows(rows: int, index: Path) -> int:
    """Write an index of made-up pictures, 3 in 100 of them copies of another; returns the number of copies.

    Half of the copies are equal byte for byte; the others are smaller, their vectors have a cosine of about 0.98 to
    their original's and their hashes differ in up to 8 bits. One picture in 1,000 has 20 copies, one in 100 has one.
    """
    rng = np.random.default_rng(1)
    copies = 0
    with open_for_writing(index, ModelRef("made up", "made-up-1", DIM)) as writer:
        writer.roots["photos"] = Root("photos", "/photos")
        for start in range(0, rows, _CHUNK):
            count = min(_CHUNK, rows - start)
            source = _sources(rng, count)
            copies += int((source != np.arange(count)).sum())
            writer.append(*_chunk(rng, np.array(writer.take_ids(count)), source))
        writer.publish()
    return copies


def _sources(rng: np.random.Generator, count: int) -> np.ndarray:
    """Of which picture each is a copy; its own place for an original."""
    single, many = count // 100, count // 1000
    shuffled = rng.permutation(count)
    copied = np.concatenate([shuffled[:single], np.repeat(shuffled[single : single + many], 20)])
    source = np.arange(count)
    source[shuffled[-len(copied) :]] = copied
    return source


def _chunk(rng: np.random.Generator, ids: np.ndarray, source: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    count = len(ids)
    vectors = rng.normal(size=(count, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hashes = rng.integers(-(2**63), 2**63 - 1, count)
    copy = source != np.arange(count)
    equal = copy & (rng.random(count) < 0.5)
    noise = rng.normal(scale=0.2 / np.sqrt(DIM), size=(count, DIM)).astype(np.float32)
    vectors = vectors[source] + noise * (copy & ~equal)[:, None]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    flips = np.bitwise_or.reduce(np.int64(1) << rng.integers(0, 63, (count, 8)), axis=1)
    hashes = hashes[source] ^ np.where(copy & ~equal, flips, 0)
    content = np.where(equal, ids[source], ids)
    columns = {
        "id": ids,
        "root": np.full(count, "photos"),
        "path": [f"{i // 1000:05d}/{i}.jpg" for i in ids],
        "file": [f"{i // 1000:05d}/{i}.jpg" for i in ids],
        "content_hash": [f"{i:032x}" for i in content],
        "bytes": 2_000_000 + content % 100_000,
        "mtime_ns": ids * 10**9,
        "format": np.full(count, "JPEG"),
        "width": np.where(copy & ~equal, 2000, 4000),
        "height": np.full(count, 3000),
        "sharpness": rng.uniform(10, 1000, count)[source],
        "perceptual_hash": hashes,
    }
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(count, f.type) for f in ROW_SCHEMA]
    return pa.table(arrays, schema=ROW_SCHEMA), vectors.astype(np.float16)


class Memory:
    """The most memory of its own, in MB, that this process has had: mapped files apart."""

    def __init__(self) -> None:
        self.most, self._done = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            [line] = [x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("RssAnon")]
            self.most = max(self.most, int(line.split()[1]) / 1024)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def measure(index: Path, level: str) -> None:
    """Find the duplicates of an index, and print what that took as JSON."""
    with Memory() as memory:
        started = time.monotonic()
        groups = spare = 0
        for group in duplicates(Snapshot(index), level):
            groups += 1
            spare += len(group.also)
        seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"groups": groups, "spare": spare, "seconds": seconds, "own": memory.most, "resident": peak}))


def scale(rows: int) -> None:
    """Print a table of finding duplicates among many made-up pictures, each run a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "made.index"
        started = time.monotonic()
        copies = made_rows(rows, index)
        print(f"{rows:,} pictures, {copies:,} of them copies, written in {time.monotonic() - started:.0f} s\n")
        print("| level | groups | spare pictures found | seconds | memory of its own, MB | resident, MB |")
        print("|---|---|---|---|---|---|")
        for level in ("bytes", "near"):
            command = [sys.executable, __file__, str(index), level]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
            print(
                f"| {level} | {found['groups']:,} | {found['spare']:,} | {found['seconds']:.1f} | "
                f"{found['own']:.0f} | {found['resident']:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    measure(Path(sys.argv[1]), sys.argv[2])
