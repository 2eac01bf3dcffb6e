"""Whether an indexing run's memory grows: `python -m tests.benchmarks.memory [--minutes 10] [--pictures 1000000]`.

Indexes tiny pictures out of Parquet shards for so many minutes, from the root of the repository, and prints how much
memory the run and its decoders have above what they had once the model was loaded; a line fitted to it says what there
would be after a million pictures. `--minutes 1` is the short form.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

ROWS_A_SHARD = 10_000
EVERY = 5.0  # seconds


def tiny(number: int) -> bytes:
    """A JPEG of its own for each number, 32 x 24."""
    buffer = io.BytesIO()
    coarse = np.random.default_rng(number).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((32, 24), Image.Resampling.BICUBIC).save(buffer, "jpeg", quality=90)
    return buffer.getvalue()


def write_shards(folder: Path, pictures: int) -> None:
    """Write Parquet files of tiny pictures."""
    for first in range(0, pictures, ROWS_A_SHARD):
        images = [tiny(number) for number in range(first, min(first + ROWS_A_SHARD, pictures))]
        pq.write_table(pa.table({"image": images}), folder / f"{first // ROWS_A_SHARD:05d}.parquet")


def resident(pid: int) -> float:
    """Memory of a process and its children that only they can give back (RssAnon and shared memory), in MB."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own(pid) + sum(resident(int(child)) for child in children)


def own(pid: int) -> float:
    """The same of one process."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return sum(int(status[name].split()[0]) for name in ("RssAnon", "RssShmem") if name in status) / 1024


def sample(run: subprocess.Popen[str], minutes: float) -> list[tuple[int, float, float]]:
    """(pictures done, MB, seconds) every few seconds, from the first batch that is stored on."""
    assert run.stderr is not None
    samples, began, ends, last = [], time.monotonic(), time.monotonic() + minutes * 60, 0.0
    for line in run.stderr:
        state = json.loads(line) if line.startswith("{") else {}
        now = time.monotonic()
        if state.get("stage") == "embedding" and state["done"] and now - last >= EVERY:
            last = now
            samples.append((state["done"], resident(run.pid), now - began))
            print(f"{state['done']:>9,} pictures  {samples[-1][1]:>7.0f} MB  {samples[-1][2]:>5.0f} s", flush=True)
        if now > ends:
            run.send_signal(signal.SIGINT)
            ends = float("inf")
    return samples


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--pictures", type=int, default=1_000_000, help="for how many the memory is foretold")
    options = parser.parse_args()
    made = min(options.pictures, int(options.minutes * 60 * 1000))  # nobody is quicker than this
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "shards"
        folder.mkdir()
        write_shards(folder, made)
        command = [sys.executable, "-m", "clipsearch", "index", str(folder), "--index", str(Path(name) / "m.index")]
        command += ["--model", "mini", "--offline", "--progress", "json"]
        environment = os.environ | {"XDG_DATA_HOME": name}
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
        ) as run:
            samples = sample(run, options.minutes)
    done, megabytes, _ = np.array(samples).T
    settled = len(samples) // 5  # the first publications load DuckDB and FAISS
    slope, _ = np.polyfit(done[settled:], megabytes[settled:], 1)
    above = megabytes - megabytes[0]
    print(f"\nfrom {megabytes[0]:.0f} MB with the first batch stored; at most {above.max():.0f} MB above that")
    print(f"growth {slope * 1e6:.0f} MB a million pictures, after the first {done[settled]:,.0f}")
    print(f"so at {options.pictures:,} pictures {above.max() + slope * (options.pictures - done[-1]):.0f} MB above")


if __name__ == "__main__":
    main()
