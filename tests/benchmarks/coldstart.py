"""A search as a process: `python -m tests.benchmarks.coldstart [ARCHITECTURE...] --folder DIR`.

From the start of Python to its end: opening the index, embedding the text, searching, printing. Indexes hold random
vectors, imported for the model; medians of ten processes after one that warms the disk's cache. Indexes and models are
kept in `--folder` for the next time.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import clipsearch
from clipsearch.models import load_encoder
from tests.benchmarks.random_model import model_folder

RUNS = 10
TEXT = "two dogs in the snow"


def index_of(name: str, place: Path, rows: int) -> Path:
    """An index of random vectors for a model, made unless it is there."""
    index = place / f"{Path(name).name}-{rows}.index"
    if not index.exists():
        dim = load_encoder(name, device="cpu").dim
        vectors = np.random.default_rng(0).standard_normal((rows, dim), np.float32)
        column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dim)
        table = place / "vectors.parquet"
        pq.write_table(pa.table({"path": [f"{row:07d}.jpg" for row in range(rows)], "vector": column}), table)
        clipsearch.import_vectors(table, index, model=name, offline=True)
        table.unlink()
    return index


def seconds(arguments: list[str]) -> float:
    """Wall time of one process."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("architectures", nargs="*", default=["mini", "ViT-B-32"])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print(f"{given.rows:,} pictures; milliseconds, median (least) of {RUNS} processes\n")
    print("| model | `search TEXT` | `search --like ID` | `python -c 'import numpy'` | largest process, MB |")
    print("|---|---|---|---|---|")
    for architecture in given.architectures:
        name = model_folder(architecture, given.folder)
        search = ["-m", "clipsearch", "search", "--all", "--index", str(index_of(name, given.folder, given.rows))]
        commands = ([*search, TEXT], [*search, "--like", "5"], ["-c", "import numpy"])
        taken = [[seconds(command) for command in commands] for _ in range(RUNS + 1)][1:]
        columns = zip(*taken, strict=True)
        shown = [f"{statistics.median(column) * 1000:.0f} ({min(column) * 1000:.0f})" for column in columns]
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(f"| {architecture} | {' | '.join(shown)} | {largest} |", flush=True)


if __name__ == "__main__":
    main()
