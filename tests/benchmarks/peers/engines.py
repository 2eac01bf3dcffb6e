"""What is compared: how each engine is started on a folder of pictures, and where it leaves its vectors."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import clipsearch
from clipsearch_indexer.bench.memory import watched

from .workspace import Workspace, side_of

HERE = Path(__file__).parent
Vectors = dict[str, np.ndarray]
"""float32 [dim] of norm 1 by file name."""


@dataclass(frozen=True)
class Run:
    """One process: `seconds` from its start to its end, `work` of them from the first picture to the last, and the
    most bytes of memory it and its children had."""

    seconds: float
    work: float
    memory: int


@dataclass(frozen=True)
class Engine:
    """An engine: the command that indexes pictures into `out`, what it says of its work, and the vectors it left.

    `environment` is set beside what all have.
    """

    name: str
    command: Callable[[Workspace, str, Path, Path], list[str]]
    environment: Callable[[Workspace, str, Path], dict[str, str]]
    work: Callable[[str, Path], float]
    vectors: Callable[[Path], Vectors]

    def run(self, place: Workspace, architecture: str, pictures: Path, out: Path) -> Run:
        """Index in a process of its own; `out` must not be there yet."""
        out.mkdir(parents=True)
        environment = os.environ | self.environment(place, architecture, out)
        log, errors = out / "log.txt", out / "errors.txt"
        began = time.perf_counter()
        with log.open("w") as stdout, errors.open("w") as stderr:
            command = self.command(place, architecture, pictures, out)
            process = subprocess.Popen(command, env=environment, stdout=stdout, stderr=stderr)
            with watched(process.pid) as peak:
                status = process.wait()
        seconds = time.perf_counter() - began
        if status:
            raise SystemExit(f"{self.name} ended with {status}: {errors.read_text()[-2000:]}")
        return Run(seconds, self.work(log.read_text(), out), peak.bytes or 0)


def clipsearch_engine() -> Engine:
    """This project, with the engine it chooses itself."""
    start = [sys.executable, "-m", "clipsearch", "index"]
    options = ["--offline", "--device", "cpu", "--json"]
    return Engine(
        "clipsearch",
        lambda place, architecture, pictures, out: [
            *(*start, str(pictures), "--index", str(out / "index"), "--model", str(place.model(architecture))),
            *options,
        ],
        lambda place, architecture, out: {},
        lambda log, out: json.loads(log)["timing"]["seconds"],
        _clipsearch_vectors,
    )


def _clipsearch_vectors(out: Path) -> Vectors:
    with clipsearch.open(out / "index") as index:
        rows = index.sql("select id, path from images").to_pylist()
        vectors = index.vectors([row["id"] for row in rows]).astype(np.float32)
    return {Path(row["path"]).name: vector for row, vector in zip(rows, vectors, strict=True)}


def rclip_engine(python: Path) -> Engine:
    """rclip (PyPI), its towers in float32."""

    def environment(place: Workspace, architecture: str, out: Path) -> dict[str, str]:
        for item in place.rclip_files(architecture).iterdir():
            (out / item.name).symlink_to(item)
        return {"RCLIP_DATADIR": str(out)}

    def vectors(out: Path) -> Vectors:
        rows = sqlite3.connect(out / "db.sqlite3").execute("select filepath, vector from images")
        return {Path(path).name: np.frombuffer(vector, np.float32) for path, vector in rows}

    return Engine(
        "rclip",
        lambda place, architecture, pictures, out: [
            str(python),
            str(HERE / "start_rclip.py"),
            str(pictures),
            str(side_of(architecture)),
        ],
        environment,
        lambda log, out: json.loads(log.splitlines()[-1])["work_seconds"],
        vectors,
    )


def clip_retrieval_engine(python: Path) -> Engine:
    """clip-retrieval (PyPI): its `inference`, which ends with vectors in files; an index of them is made by a
    further command, which is not counted."""

    def vectors(out: Path) -> Vectors:
        names = pq.read_table(out / "output/metadata/metadata_0.parquet")["image_path"].to_pylist()
        found = np.load(out / "output/img_emb/img_emb_0.npy").astype(np.float32)
        return {Path(name).name: vector for name, vector in zip(names, found, strict=True)}

    return Engine(
        "clip-retrieval",
        lambda place, architecture, pictures, out: [
            *(str(python), str(HERE / "start_clip_retrieval.py"), str(pictures), str(out / "output")),
            f"open_clip:{architecture}/{place.checkpoint(architecture)}",
        ],
        lambda place, architecture, out: {},
        lambda log, out: json.loads((out / "output/stats/0.json").read_text())["total_duration"],
        vectors,
    )
