"""Time and memory of indexing many small pictures with mini: `python tests/benchmarks/scale.py [--pictures 100000]`.

Each run is a process of its own; its peak resident memory is what the operating system reports for it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

PER_FOLDER = 1000


def paint(folder: Path, first: int, last: int) -> None:
    """Small noisy JPEGs, no two alike."""
    for number in range(first, last):
        target = folder / f"{number // PER_FOLDER:04d}" / f"{number:07d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        coarse = np.random.default_rng(number).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((80, 64), Image.Resampling.BICUBIC).save(target, quality=85)


def index(folder: Path, place: Path) -> dict[str, float]:
    """One indexing run in a process of its own: its report, wall seconds and peak memory in MB."""
    command = [sys.executable, "-m", "clipsearch", "index", str(folder), "--index", str(place)]
    command += ["--model", "mini", "--offline", "--json"]
    code = (
        "import json, resource, subprocess, sys, time\n"
        "started = time.monotonic()\n"
        f"done = subprocess.run({command!r}, capture_output=True, text=True)\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024\n"
        "print(json.dumps({'report': json.loads(done.stdout), 'wall': time.monotonic() - started, 'peak_mb': peak}))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = json.loads(result.stdout)
    return {**found["report"], "wall": found["wall"], "peak_mb": found["peak_mb"]}


def show(what: str, run: dict[str, float]) -> None:
    """One line of the table."""
    print(
        f"| {what} | {run['total']:,} | {run['embedded']:,} | {run['wall']:.1f} | "
        f"{run['embedded'] / run['wall']:.0f} | {run['peak_mb']:.0f} |",
        flush=True,
    )


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100_000)
    many = parser.parse_args().pictures
    few = many // 10
    with tempfile.TemporaryDirectory() as name:
        folder, place = Path(name) / "pictures", Path(name) / "scale.index"
        print("| run | pictures in the index | embedded | seconds | images/s | peak memory, MB |")
        print("|---|---|---|---|---|---|")
        paint(folder, 0, few)
        show(f"the first {few:,}", index(folder, place))
        paint(folder, few, many)
        started = time.monotonic()
        show(f"up to {many:,}", index(folder, place))
        show("again, no change", index(folder, place))
        paint(folder, many, many + 10)
        show("10 pictures added", index(folder, place))
        print(
            f"\n{time.monotonic() - started:.0f} s in all; this script itself: "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
        )


if __name__ == "__main__":
    main()
