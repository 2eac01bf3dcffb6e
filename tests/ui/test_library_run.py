"""Indexing runs as the page starts them, in processes of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clipsearch
from clipsearch.errors import IndexBusy
from clipsearch_ui.library import run as runs
from clipsearch_ui.library.run import Run
from clipsearch_ui.library.steps import Report, Step, report_in, step_in
from clipsearch_ui.library.words import did, doing, duration, name_of

from .conftest import Build, draw

MANY = 700  # eleven batches


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures and one that is none."""
    for colour in ("red", "green", "blue"):
        draw(tmp_path / "photos" / f"{colour}.png", colour)
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no picture")
    return tmp_path / "photos"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    noise = np.random.default_rng(0).integers(0, 255, (MANY, 16, 16, 3), dtype=np.uint8)
    for number, pixels in enumerate(noise):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def _nothing_goes_on() -> Iterator[None]:
    yield
    runs.stop()


def until(run: Run, condition: Callable[[Run], bool]) -> None:
    """Wait for something to be true of a run."""
    give_up = time.monotonic() + 120
    while not condition(run):
        assert time.monotonic() < give_up, run.step
        time.sleep(0.005)


def ended(run: Run) -> Report | str:
    run.wait(120)
    assert run.outcome is not None
    return run.outcome


def has_begun(run: Run) -> bool:
    return run.step.stage == "embedding" and run.step.done > 0


@pytest.mark.slow
def test_a_run_says_how_far_it_is_and_what_it_did(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "new.index"
    run = runs.index(place, [str(folder)], "mini")
    assert runs.latest() is run
    stages: list[str] = []

    def looked(run: Run) -> bool:
        if run.step.stage not in stages:
            stages.append(run.step.stage)
        return not run.is_running

    until(run, looked)
    assert stages[0] == "starting"
    assert "loading the model" in stages
    assert run.step == Step("done", 4, 4, 1, run.step.seconds)
    report = ended(run)
    assert isinstance(report, Report)
    assert (report.embedded, report.failed, report.total, report.interrupted) == (3, 1, 3, False)

    with clipsearch.open(place) as index:
        assert len(index) == 3


def test_where_nothing_failed_there_is_nothing_to_retry(folder: Path, tmp_path: Path, build: Build) -> None:
    (folder / "broken.jpg").unlink()
    build(folder, tmp_path / "sound.index")
    assert ended(runs.retry(tmp_path / "sound.index")) == "There was nothing to do."


@pytest.mark.slow
def test_what_is_done_before_it_is_cancelled_is_kept(many: Path, tmp_path: Path, build: Build) -> None:
    place = tmp_path / "cancelled.index"
    run = runs.index(place, [str(many)], "mini")
    with pytest.raises(IndexBusy, match=r"cancelled\.index"):
        runs.index(tmp_path / "other.index", [str(many)], "mini")
    until(run, has_begun)
    run.cancel()
    report = ended(run)
    assert isinstance(report, Report)
    assert report.interrupted
    assert 0 < report.total < MANY
    assert clipsearch.verify(place).problems == ()
    with clipsearch.open(place) as index:
        assert len(index) == report.total
        assert len(index.search("a red wall", k=5)) == 5
    rest = build(many, place)
    assert (rest.embedded, rest.total) == (MANY - report.total, MANY)


def test_one_cancelled_before_it_began_says_so(folder: Path, tmp_path: Path) -> None:
    run = runs.index(tmp_path / "i", [str(folder)], "mini")
    run.cancel()
    assert str(ended(run)).startswith("Cancelled")
    assert runs.latest() is run


@pytest.mark.parametrize("source", ["nowhere", "--model", "*.none"])
def test_what_goes_wrong_is_one_sentence(tmp_path: Path, source: str) -> None:
    (tmp_path / "there").mkdir()
    said = ended(runs.index(tmp_path / "i", [str(tmp_path / "there" / source)], "mini"))
    assert isinstance(said, str)
    assert source in said
    assert said.endswith(("pattern.", "on."))
    assert not (tmp_path / "i").exists()


def test_a_source_is_never_an_option(tmp_path: Path) -> None:
    said = ended(runs.index(tmp_path / "i", ["--help"], "mini"))
    assert isinstance(said, str)
    assert "--help is not there" in said


def test_one_that_is_killed_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    run = runs.index(tmp_path / "i", [str(folder)], "mini")
    os.kill(run._process.pid, 9)
    assert ended(run) == (
        "The run ended unexpectedly (exit status -9); what it had stored is kept, start it again to go on."
    )


@pytest.mark.parametrize("line", ["", "{", "7", "[]", "null", '{"done": 3}', '{"stage": 3}', "clipsearch: no\n"])
def test_what_is_no_step_is_none(line: str) -> None:
    assert step_in(line) is None
    assert report_in(line.encode()) is None


def test_a_step_in_words() -> None:
    assert doing(Step("loading the model")) == "Loading the model"
    assert doing(Step("embedding", 0, 575)) == "Embedding · 0 of 575"
    step = Step("embedding", 1_000, 5_000, failed=2, seconds=10)
    assert doing(step) == "Embedding · 1,000 of 5,000 · 100 images/s · about 40 s left · 2 failed"
    assert doing(Step("training", 3, 4, seconds=10)) == "Training · 3 of 4"


def test_a_report_in_words() -> None:
    report = Report(5, 0, 1_000, 1, 0, 1_004, 65.0, interrupted=False)
    assert did(report) == "Done: 5 embedded, 1,000 unchanged, 1 removed, in 1 min. 1,004 pictures in the index."
    assert did(Report(0, 0, 0, 0, 0, 1, 0.4, interrupted=True)) == (
        "Cancelled; what was done is kept: nothing to do, in 0 s. 1 picture in the index."
    )


def test_times_and_names_in_words() -> None:
    assert [duration(seconds) for seconds in (0.2, 59.4, 59.6, 3_599, 7_500)] == [
        "0 s",
        "59 s",
        "1 min",
        "1 h 0 min",
        "2 h 5 min",
    ]
    assert name_of(Path("/home/me/Pictures/.clipsearch")) == "Pictures"
    assert name_of(Path("/home/me/photos.index")) == "photos.index"
    assert name_of(Path("/.clipsearch")) == "/.clipsearch"
