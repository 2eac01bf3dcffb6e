"""A search as a process, text encoding included, beside rclip's over as many pictures."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.coldstart import RUNS, TEXT, index_of

from .engines import HERE
from .workspace import Workspace


def report(place: Workspace, architecture: str, rclip: Path, rows: Sequence[int]) -> None:
    """Print medians of ten processes of each, in turn; rclip runs with `--no-indexing`."""
    print(f"milliseconds, median (least) of {RUNS} processes; memory of the largest\n")
    print("| pictures | clipsearch, mini | clipsearch, the same model | rclip | MB |\n|---|---|---|---|---|")
    for count in rows:
        database = _rclip_data(place, architecture, rclip, count)
        ours = [_ours(place, name, count) for name in ("mini", architecture)]
        theirs = [str(rclip), "-m", "rclip", "--no-indexing", "--filepath-only", TEXT]
        commands = [(ours[0], None), (ours[1], None), (theirs, database)]
        taken: list[list[float]] = [[] for _ in commands]
        for number in range(RUNS + 1):
            for turn in range(len(commands)):
                which = (number + turn) % len(commands)
                seconds = _seconds(*commands[which])
                if number:  # the first is for warming up
                    taken[which].append(seconds)
        memory = " / ".join(f"{_memory(*command):.0f}" for command in commands)
        shown = [f"{statistics.median(one) * 1000:.0f} ({min(one) * 1000:.0f})" for one in taken]
        print(f"| {count:,} | {' | '.join(shown)} | {memory} |", flush=True)


def _ours(place: Workspace, architecture: str, count: int) -> list[str]:
    name = "mini" if architecture == "mini" else str(place.model(architecture))
    index = index_of(name, place.folder, count)
    return [sys.executable, "-m", "clipsearch", "search", "--all", "--index", str(index), TEXT]


def _rclip_data(place: Workspace, architecture: str, rclip: Path, count: int) -> Path:
    """A data folder with so many pictures in it, which stand below the folder itself."""
    folder = place.folder / "rclip-search" / f"{architecture}-{count}"
    if not (folder / "done").exists():
        folder.mkdir(parents=True)
        for item in place.rclip_files(architecture).iterdir():
            (folder / item.name).symlink_to(item)
        fill = [str(rclip), str(HERE / "fill_rclip.py"), str(folder / "db.sqlite3"), str(folder), str(count)]
        subprocess.run(fill, check=True)
        (folder / "done").touch()
    return folder


def _start(command: list[str], data: Path | None) -> subprocess.Popen[bytes]:
    environment = os.environ | ({"RCLIP_DATADIR": str(data)} if data else {})
    return subprocess.Popen(command, cwd=data, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _seconds(command: list[str], data: Path | None) -> float:
    began = time.perf_counter()
    process = _start(command, data)
    found, errors = process.communicate()
    seconds = time.perf_counter() - began
    if process.returncode or not found:
        raise SystemExit(f"{' '.join(command)} found nothing: {errors.decode()[-2000:]}")
    return seconds


def _memory(command: list[str], data: Path | None) -> float:
    """Peak resident memory of one more process, MB: asked for until it is gone."""
    process, most = _start(command, data), 0.0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        most = next((int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmHWM")), most)
        time.sleep(0.005)
    process.communicate()
    return most
