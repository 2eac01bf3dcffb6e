"""`kill -9` at any moment loses at most the batch in hand, and nothing is embedded twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import clipsearch

PICTURES, BATCH, KILLS = 300, 8, 5
SCRIPT = Path(__file__).with_name("slow_run.py")

pytestmark = pytest.mark.slow


def start(album, env) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), str(album.folder), str(album.index)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def embedded(output: str) -> int:
    """Pictures that the process began to embed."""
    return sum(int(line.split()[1]) for line in output.splitlines() if line.startswith("embedding"))


def test_kill_at_random_moments(album, subprocess_env):
    album.paint_many(PICTURES)
    for number in range(0, PICTURES, 50):
        album.put(f"bad{number}.png", b"not a picture")
    chance = random.Random(7)
    pictures, begun, kills = PICTURES, 0, 0
    while kills < KILLS:
        process = start(album, subprocess_env)
        output = process.stdout.readline()  # from here on there is something to lose
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        rest, errors = process.communicate()
        assert errors == ""
        begun += embedded(output + rest)
        if "report" in output + rest:  # done before it could be killed: give it more to do
            album.paint_many(60, first=pictures)
            pictures += 60
        else:
            kills += 1
    report, output = finish(album, subprocess_env)
    begun += embedded(output)
    assert begun <= pictures + BATCH * KILLS
    assert report["total"] == pictures
    # Of what it saw it embedded nothing that a killed run had finished.
    assert report["seen"] == report["unchanged"] + report["embedded"] + report["failed"] == pictures + 6
    assert report["unchanged"] >= pictures - embedded(output)
    assert report["recovered"] <= report["unchanged"]
    assert_like_undisturbed(album)
    again = album.build()
    assert (again.embedded, again.unchanged, again.recovered) == (0, pictures + 6, 0)


def finish(album, env) -> tuple[dict, str]:
    """Let a run end in peace; returns its report and its output."""
    process = start(album, env)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1].removeprefix("report ")), output


def assert_like_undisturbed(album) -> None:
    other = album.fresh()
    other.build(batch_size=BATCH)
    assert album.facts() == other.facts()
    assert album.failures() == other.failures()
    album.assert_sound()
    assert [p.name for p in (album.index / "versions").iterdir()] == [
        f"{clipsearch.verify(album.index).version:06d}.json"
    ]


def test_kill_while_changes_are_taken_in(album, subprocess_env):
    """The second run of an index: edits, renames, removals and new pictures, killed and run again."""
    album.paint_many(120)
    album.build(batch_size=BATCH)
    for number in range(0, 120, 3):
        album.paint(f"p{number:03d}.png", 1000 + number)
    for number in range(1, 120, 3):
        (album.folder / f"p{number:03d}.png").rename(album.folder / f"moved{number:03d}.png")
    for number in range(2, 60, 3):
        (album.folder / f"p{number:03d}.png").unlink()
    album.paint_many(40, first=200)
    chance = random.Random(11)
    begun = 0
    for _ in range(3):
        process = start(album, subprocess_env)
        first = process.stdout.readline()
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        begun += embedded(first + process.communicate()[0])
    report, output = finish(album, subprocess_env)
    begun += embedded(output)
    assert begun <= 80 + 3 * BATCH
    assert report["total"] == 120 - 20 + 40
    assert_like_undisturbed(album)
