"""Beside rclip and clip-retrieval; run from the repository's root. Every command prints Markdown tables.

Each of them needs a virtual environment of its own (`pip install rclip`; `pip install clip-retrieval 'setuptools<81'`,
since it imports pkg_resources), whose Python is named here. What they would download is made instead: models with
random weights, which are no slower than others, laid out as they expect them. Everything is kept in `--folder` for the
next time.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

COMMANDS = {
    "prepare": "make pictures and models, and run every engine on a few pictures",
    "index": "how quickly each engine indexes (prepares what is not there)",
    "search": "a search as a process beside rclip's",
}


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name:10} {what}" for name, what in COMMANDS.items()),
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--rclip", type=Path, required=True, metavar="PYTHON", help="with rclip installed")
    parser.add_argument(
        "--clip-retrieval", type=Path, metavar="PYTHON", help="with clip-retrieval installed; left out without"
    )
    parser.add_argument("--photos", type=Path, help="a folder of JPEGs to make the pictures of")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--models", nargs="+", default=["ViT-B-32", "ViT-B-32-256"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="+", default=[540, 100_000], help="of a searched index")
    given = parser.parse_args()
    from .workspace import Workspace

    place = Workspace(given.folder.resolve(), given.photos, given.pictures)
    os.environ.update(place.environment)
    if given.command == "search":
        from . import search

        search.report(place, "ViT-B-32-256", given.rclip.absolute(), given.rows)
        return
    if given.photos is None:
        parser.error(f"{given.command} needs --photos DIR")
    from . import index
    from .engines import clip_retrieval_engine, clipsearch_engine, rclip_engine

    engines = [clipsearch_engine(), rclip_engine(given.rclip.absolute())]
    if given.clip_retrieval:
        engines.append(clip_retrieval_engine(given.clip_retrieval.absolute()))
    index.prepare(place, given.models, engines)
    if given.command == "index":
        index.report(place, given.models, engines, given.rounds)


if __name__ == "__main__":
    main()
