"""`kill -9` while a further space is brought level: all spaces stay whole, and nothing is embedded twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import clipsearch
from clipsearch.query.embed import image_vectors
from clipsearch.store import spaces as store_spaces
from clipsearch.store import switching
from clipsearch.store.spaces import read_spaces
from tests.indexer.spaces import assert_level, rows_in, vectors_in
from tests.query.two_spaces import OtherEncoder

PICTURES, BATCH, KILLS = 64, 8, 3
SCRIPT = Path(__file__).with_name("slow_spaces.py")


def start(album, env) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), str(album.folder), str(album.index)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def embedded(output: str) -> int:
    """Pictures that the process began to embed with the second model."""
    return sum(int(line.split()[1]) for line in output.splitlines() if line.startswith("embedding"))


@pytest.mark.slow
def test_killed_while_the_second_space_follows(album, subprocess_env):
    album.paint_many(PICTURES)
    chance = random.Random(3)
    begun = kills = 0
    sizes = []
    while kills < KILLS:
        process = start(album, subprocess_env)
        first = process.stdout.readline()
        time.sleep(chance.uniform(0.02, 0.15))
        process.kill()
        rest, errors = process.communicate()
        assert errors == ""
        begun += embedded(first + rest)
        kills += 1
        sizes.append(check_usable(album))
        if "done" in rest:
            break
    assert sizes == sorted(sizes)
    process = start(album, subprocess_env)
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    begun += embedded(output)
    assert PICTURES <= begun <= PICTURES + BATCH * kills
    assert_level(album, "other", OtherEncoder())


def check_usable(album) -> int:
    """Both spaces can be read, and of what the second has every vector is right; returns how many those are."""
    album.assert_sound()
    rows, vectors = rows_in(album.index, "other"), vectors_in(album.index, "other")
    main = rows_in(album.index, "toy")
    assert len(main) == PICTURES
    encoder = OtherEncoder()
    with clipsearch.open(album.index) as index:
        pictures = {i: index.picture(i) for i in rows}
    if rows:
        expected = image_vectors(encoder, list(pictures.values())).astype(np.float16)
        np.testing.assert_array_equal([vectors[i] for i in rows], expected)
    assert all(main[i] == row for i, row in rows.items())
    return len(rows)


@pytest.mark.slow
def test_ctrl_c_while_the_second_space_follows(album, subprocess_env):
    album.paint_many(PICTURES)
    process = start(album, subprocess_env)
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "done" in rest
    has = check_usable(album)
    assert has == embedded(first + rest) < PICTURES
    report = album.build(encoder=[album.encoder, OtherEncoder()])
    assert [s.embedded for s in report.spaces] == [PICTURES - has]


class Crash(BaseException):
    """The power goes."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["write_spaces", "collect_dropped"])
def test_a_crash_in_the_middle_of_dropping_leaves_the_space_or_no_trace(album, monkeypatch, step, when):
    album.paint_many(3)
    album.build(encoder=[album.encoder, OtherEncoder()])
    original = getattr(switching, step)

    def crash(*args):
        if when == "after":
            original(*args)
        raise Crash

    monkeypatch.setattr(switching, step, crash)
    with pytest.raises(Crash):
        switching.drop_space(album.index, "other")
    monkeypatch.undo()
    dropped = (step, when) != ("write_spaces", "before")
    assert read_spaces(album.index).names == (("toy",) if dropped else ("toy", "other"))
    album.assert_sound()
    album.build()
    assert (album.index / "spaces/other").exists() is not dropped
    album.assert_sound()


def test_the_list_is_replaced_in_one_step(album, monkeypatch):
    album.paint_many(2)
    album.build(encoder=[album.encoder, OtherEncoder()])
    before = (album.index / "spaces.json").read_bytes()

    def crash(*_):
        raise Crash

    monkeypatch.setattr(store_spaces.json, "dumps", crash)
    with pytest.raises(Crash):
        switching.switch_spaces(album.index, "other")
    assert (album.index / "spaces.json").read_bytes() == before
