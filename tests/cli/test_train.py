"""`clipsearch train` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import paint
from tests.tiny_model import write_tiny

COLOURS = ("red", "green", "blue", "yellow")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def captioned(tmp_path_factory) -> Path:
    """Twenty-four pictures with a text beside each."""
    folder = tmp_path_factory.mktemp("captioned")
    for number in range(24):
        paint(folder / f"{number}.png", COLOURS[number % 4], number)
        (folder / f"{number}.txt").write_text(f"something {COLOURS[number % 4]}, number {number}\n")
    return folder


def test_a_training_is_reported_and_its_model_indexes(run, captioned, tiny, tmp_path):
    out = tmp_path / "my-model"
    done = run("train", captioned, "--model", tiny, "--out", out, "--epochs", 2, "--batch-size", 8, "--lr", 1e-3)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "23 pictures to train on, 1 kept aside."
    assert lines[1].startswith("4 of 4 steps done (")
    assert lines[2] == "Text to picture:  R@1 1.000  R@5 1.000  R@10 1.000"  # among one
    assert lines[-1] == f"Use it: clipsearch index PICTURES --model {out}"
    indexed = run("index", captioned, "--model", out, "--index", tmp_path / "i.index")
    assert indexed.out.splitlines()[0].startswith("24 pictures in the index")
    again = run("train", captioned, "--model", tiny, "--out", out, "--epochs", 2, "--batch-size", 8, "--lr", 1e-3)
    assert again.out.splitlines()[1].startswith("4 of 4 steps done, gone on from step 4 (")


def test_progress_and_report_as_json(run, captioned, tiny, tmp_path):
    options = ("--architecture", tiny / "open_clip_config.json", "--loss", "siglip", "--chunk", 3, "--lock", "image")
    more = ("--epochs", 1, "--batch-size", 10, "--augment", "none", "--ema", 0.5, "--validation", captioned)
    done = run("train", captioned, "--out", tmp_path / "m", *options, *more, "--progress", "json", "--json")
    assert done.code == 0
    steps = [json.loads(line) for line in done.err.splitlines()]
    assert [(step["step"], step["steps"], step["epoch"]) for step in steps] == [(1, 2, 1), (2, 2, 1)]
    assert (done.json["pairs"], done.json["validated"], done.json["steps"]) == (24, 24, 2)
    assert done.json["loss"] == steps[-1]["loss"]
    assert 0 <= done.json["recall"]["image_to_text_r10"] <= 1
    saved = json.loads((tmp_path / "m/open_clip_config.json").read_text())
    assert saved["model_cfg"]["init_logit_bias"] == -10.0


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ((), 2, "either --model to go on from one, or --architecture to begin anew"),
        (("--model", "mini", "--batch-size", 99), 1, "--batch-size 23"),
        (("--model", "mini", "--epochs", 0), 2, "epochs is 0; give at least 1."),
        (("--model", "mini", "--teacher", "nothing.npy"), 1, "nothing.txt beside it"),
        (("--model", "nonsense"), 1, "There is no model 'nonsense'"),
    ],
)
def test_wrong_calls_end_in_one_sentence(run, captioned, tmp_path, options, code, message):
    done = run("train", captioned, "--out", tmp_path / "m", *(options or ()), *_batch(options))
    assert done.code == code
    assert message in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""


def _batch(options: tuple[object, ...]) -> tuple[object, ...]:
    return () if "--batch-size" in options else ("--batch-size", 8)


def test_a_folder_without_captions_says_what_to_put_there(run, tmp_path):
    paint(tmp_path / "a.png", "red")
    done = run("train", tmp_path, "--model", "mini", "--out", tmp_path / "m")
    assert done.code == 1
    assert "put a .txt beside each picture" in done.err


def test_bad_pictures_are_counted_where_people_look(run, captioned, tiny, tmp_path):
    paint(tmp_path / "p/a.png", "red")
    for name in ("a", "b"):
        (tmp_path / f"p/{name}.txt").write_text("x")
    (tmp_path / "p/b.png").write_bytes(b"")
    options = ("--model", tiny, "--out", tmp_path / "m", "--epochs", 1, "--batch-size", 2)
    done = run("train", tmp_path / "p", *options)
    assert done.code == 0
    assert "Please note: 1 picture not readable; " in done.err
    assert "b.png" in (tmp_path / "m/training/unreadable.jsonl").read_text()
