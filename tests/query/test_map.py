"""The map of an index: who is on it, where they stay, and what is kept."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import clipsearch
from clipsearch.query import map as maps
from clipsearch.query.map import MapPoints
from clipsearch.store.manifest import ModelRef
from clipsearch.store.map_file import MAP
from clipsearch.store.segments import removals_of
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing
from tests.made_up import made_index, unit_rows
from tests.store.conftest import rows_of

GROUPS, DIM = 8, 16


def grouped(count: int, seed: int) -> np.ndarray:
    """Vectors around eight centres by turns."""
    centres = np.random.default_rng(0).normal(size=(GROUPS, DIM))
    return unit_rows(centres[np.arange(count) % GROUPS] + 0.2 * np.random.default_rng(seed).normal(size=(count, DIM)))


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index of 160 pictures without a map, as all are that were made before there were any."""
    made_index(tmp_path / "photos.index", grouped(160, 1)).close()
    return tmp_path / "photos.index"


def change(index: Path, add: int = 0, remove: range = range(0)) -> None:
    with open_for_writing(index, ModelRef("made up", "made-up-1", DIM)) as writer:
        if add:
            ids = list(writer.take_ids(add))
            writer.append(rows_of(ids), grouped(add, ids[0]))
        if remove:
            writer.append(removals=removals_of(list(remove)))
        writer.publish()


def mapped(index: Path, tell: Callable[[str, int, int], None] | None = None) -> MapPoints:
    with clipsearch.open(index) as opened:
        return opened.map(tell)


def work(index: Path) -> set[str]:
    """What is done when the map is asked for."""
    done: list[str] = []
    mapped(index, lambda what, _, __: done.append(what))
    return set(done)


def groups_lie_together(points: MapPoints) -> float:
    apart = ((points.xy[:, None] - points.xy) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = points.ids[np.argsort(apart, axis=1)[:, :5]]
    return float((nearest % GROUPS == points.ids[:, None] % GROUPS).mean())


def test_every_picture_is_on_the_map_beside_its_like(index: Path):
    points = mapped(index)
    assert points.ids.tolist() == list(range(1, 161))
    assert points.xy.dtype == np.float32
    assert points.xy.shape == (160, 2)
    assert np.abs(points.xy).max() <= 1
    assert groups_lie_together(points) > 0.98


def test_it_is_made_once_and_the_same_anywhere(index: Path, tmp_path: Path):
    shutil.copytree(index, tmp_path / "copy.index")
    assert work(index) == {"laying out"}
    assert work(index) == set()
    assert np.array_equal(mapped(index).xy, mapped(tmp_path / "copy.index").xy)


def test_new_pictures_find_their_place_and_the_old_ones_stay(index: Path):
    before = mapped(index)
    change(index, add=32)
    assert work(index) == {"placing"}
    assert work(index) == set()
    after = mapped(index)
    assert after.ids.tolist() == list(range(1, 193))
    assert np.array_equal(after.xy[:160], before.xy)
    assert groups_lie_together(after) > 0.95


def test_pictures_that_are_gone_are_not_on_it(index: Path):
    before = mapped(index)
    change(index, remove=range(1, 21))
    assert work(index) == set()
    after = mapped(index)
    assert after.ids.tolist() == list(range(21, 161))
    assert np.array_equal(after.xy, before.xy[20:])


def test_an_outgrown_map_is_laid_out_anew_as_it_lay(index: Path):
    before = mapped(index)
    change(index, add=80)
    assert work(index) == {"placing", "laying out"}
    assert work(index) == set()
    after = mapped(index)
    assert not np.array_equal(after.xy[:160], before.xy)
    assert groups_lie_together(after) > 0.98
    along = [np.corrcoef(after.xy[:160, axis], before.xy[:, axis])[0, 1] for axis in (0, 1)]
    assert min(along) > 0.8


def test_of_many_some_are_laid_out_and_the_rest_placed(index: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(maps, "LANDMARKS", 64)
    assert work(index) == {"laying out", "placing"}
    points = mapped(index)
    assert len(points.ids) == 160
    assert groups_lie_together(points) > 0.9


def test_an_empty_index_has_an_empty_map(tmp_path: Path):
    with open_for_writing(tmp_path / "empty.index", ModelRef("made up", "made-up-1", DIM)):
        pass
    points = mapped(tmp_path / "empty.index")
    assert points.ids.shape == (0,)
    assert points.xy.shape == (0, 2)
    assert not (tmp_path / "empty.index" / MAP).exists()


def test_equal_pictures_lie_in_one_place(tmp_path: Path):
    made_index(tmp_path / "equal.index", np.ones((20, DIM))).close()
    points = mapped(tmp_path / "equal.index")
    assert len(points.ids) == 20
    assert (points.xy == 0).all()


@pytest.mark.parametrize("harm", ["cut", "garbage", "another's", "gone"])
def test_a_map_that_cannot_be_read_is_made_anew(index: Path, tmp_path: Path, harm: str):
    before = mapped(index)
    file = index / MAP
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:5000])
    elif harm == "garbage":
        file.write_bytes(b"\0" * 5000)
    elif harm == "another's":
        held = dict(np.load(file))
        np.savez(file, **held | {"fingerprint": np.array("another-1")})
    else:
        file.unlink()
    assert work(index) == {"laying out"}
    assert np.array_equal(mapped(index).xy, before.xy)


def test_where_nothing_can_be_written_the_map_is_there_all_the_same(index: Path):
    (index / "map.draft").mkdir()
    (index / "map.lock").mkdir()
    assert work(index) == {"laying out"}
    assert work(index) == {"laying out"}
    assert not (index / MAP).exists()


DIE = """
import os, sys
import numpy as np
import clipsearch

def die(*_): os.kill(os.getpid(), 9)

def half(file, **arrays):
    file.write(b"PK" + bytes(9000))
    file.flush()
    die()

if sys.argv[2] == "writing":
    np.savez = half
with clipsearch.open(sys.argv[1]) as index:
    index.map(die if sys.argv[2] == "laying out" else None)
"""


@pytest.mark.parametrize("when", ["laying out", "writing"])
def test_a_maker_that_is_killed_leaves_no_half_map(index: Path, when: str, subprocess_env: dict[str, str]):
    died = subprocess.run([sys.executable, "-c", DIE, str(index), when], env=subprocess_env, check=False)
    assert died.returncode == -signal.SIGKILL
    assert not (index / MAP).exists()
    assert len(mapped(index).ids) == 160
    assert (index / MAP).exists()
    assert not (index / "map.draft").exists()


def test_publishing_checking_and_collecting_leave_it_alone(index: Path):
    mapped(index)
    held = (index / MAP).read_bytes()
    opened = Snapshot(index)
    change(index, add=1)
    opened.close()
    change(index, add=1)
    assert (index / MAP).read_bytes() == held
    assert clipsearch.verify(index).problems == ()
    assert len(list((index / "versions").glob("*.json"))) == 1
    clipsearch.repair(index)
    assert len(mapped(index).ids) == 162


def test_of_two_who_want_it_one_makes_it(index: Path):
    made: list[str] = []

    def look(_: int) -> MapPoints:
        return mapped(index, lambda what, done, _: made.append(what) if done == 0 else None)

    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(look, range(3))
    assert made == ["laying out"]
    assert all(np.array_equal(first.xy, other.xy) for other in others)
