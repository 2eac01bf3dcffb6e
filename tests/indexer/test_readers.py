"""Readers never wait and never see half an update, while another process writes and publishes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import clipsearch

HERE = Path(__file__).parent

pytestmark = pytest.mark.slow


def test_searching_in_another_process_while_a_run_publishes(album, subprocess_env):
    album.paint_many(40)
    album.build()
    reader = subprocess.Popen(
        [sys.executable, str(HERE / "reader.py"), str(album.index)],
        env=subprocess_env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert reader.stdout.readline() == "ready\n", reader.stderr.read()
        album.paint_many(80, first=100)
        for number in range(0, 40, 2):
            album.paint(f"p{number:03d}.png", 5000 + number)
        (album.folder / "p001.png").unlink()
        before = clipsearch.verify(album.index).version
        run = subprocess.run(
            [sys.executable, str(HERE / "slow_run.py"), str(album.folder), str(album.index), "0.05"],
            env=subprocess_env,
            capture_output=True,
            text=True,
            check=True,
        )
        report = json.loads(run.stdout.splitlines()[-1].removeprefix("report "))
        output, errors = reader.communicate("stop\n", timeout=60)
    finally:
        reader.kill()
    assert (reader.returncode, errors) == (0, "")
    seen = json.loads(output)
    assert report["total"] == 119
    assert report["version"] - before >= 5
    assert len(seen["versions"]) >= 3, "the reader hardly saw the run"
    assert seen["searches"] >= 10
    assert seen["slowest"] < 5  # two machine-loads of work on two cores, but no waiting for a writer
    album.assert_sound()
