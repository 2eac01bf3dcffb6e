"""Benchmarks of the search engine; run from the repository's root. Every command prints a Markdown table.

Vectors are drawn from a model of CLIP's space that `calibrate` compares with real embeddings. The index of each size
is made by the first command that wants it and stays in `--folder`: 1.4 KB a row.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from .workspace import Workspace

COMMANDS = {
    "engine": "recall, time, memory and size of the engine by itself",
    "filters": "recall, time and plan at each selectivity",
    "latency": "whole queries, and the command line as a process",
    "peers": "usearch, hnswlib, LanceDB and FAISS's HNSW at the same recall (pip install 'clipsearch[bench]')",
    "calibrate": "the benchmark's vectors against mini over the photos of --photos",
}


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name:10} {what}" for name, what in COMMANDS.items()),
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=1000, help="of each kind")
    parser.add_argument("--recall", type=float, default=0.98, help="what the index is tuned to")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "clipsearch-benchmark")
    parser.add_argument("--photos", type=Path, help="a folder with images/ and captions.jsonl, as Flickr8k")
    parser.add_argument("--peers", nargs="+", help="only these")
    given = parser.parse_args()
    if given.command == "calibrate":
        from . import calibration

        if given.photos is None:
            parser.error("calibrate needs --photos DIR")
        print(calibration.report(given.photos))
        return
    work = Workspace(given.folder, given.rows, given.queries)
    work.prepare()
    work.tune(given.recall)
    if given.command == "engine":
        from . import engine

        print(engine.report(work))
    elif given.command == "filters":
        from . import filters

        print(filters.report(work, min(200, given.queries)))
    elif given.command == "latency":
        from . import latency

        print(latency.report(work))
    else:
        from . import peers

        peers.run(work, given.peers)


if __name__ == "__main__":
    main()
