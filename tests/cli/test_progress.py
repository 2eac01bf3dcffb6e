"""`--progress json`, as a program reads it, and what commands remember."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from clipsearch.known import known


def test_a_run_tells_programs_how_far_it_is(run, photos: Path, tmp_path: Path) -> None:
    place = tmp_path / "i"
    progress = ["--progress", "json", "--batch-size", "3"]
    done = run("index", photos, "--index", place, "--model", "mini", "--json", *progress)
    told = [json.loads(line) for line in done.err.splitlines()]
    assert told[0]["stage"] == "loading the model"
    assert told[-1] == told[-1] | {"stage": "done", "done": 10, "total": 10, "embedded": 8, "reused": 0, "failed": 2}
    embedding = [state for state in told if state["stage"] == "embedding"]
    assert sorted({state["done"] for state in embedding}) == [0, 3, 6, 9, 10]
    assert {state["total"] for state in embedding} == {10}
    assert 0 < embedding[1]["seconds"] <= told[-1]["seconds"]
    assert done.json["embedded"] == 8
    assert place in known()


def test_retrying_tells_the_same(run, photos: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(photos, tmp_path / "photos")
    shutil.copy(folder / "a/blue.png", folder / "empty.png")
    result = run("failures", "--retry", "--progress", "json", "--json", "--index", folder)
    told = [json.loads(line) for line in result.err.splitlines()]
    assert told[-1] == told[-1] | {"stage": "done", "done": 2, "total": 2, "reused": 1, "failed": 1}
    assert result.json["reused"] == 1


def test_a_note_is_a_line_like_the_others(run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty"))
    result = run("index", photos / "a", "--index", tmp_path / "i", "--offline", "--progress", "json")
    told = [json.loads(line) for line in result.err.splitlines() if line.startswith("{")]
    assert [state["note"][:11] for state in told if state["note"]] == ["The default"]


def test_an_error_is_the_sentence_it_always_is(run, tmp_path: Path) -> None:
    result = run("index", tmp_path / "nowhere", "--index", tmp_path / "i", "--progress", "json")
    assert result.code == 1
    assert result.err.splitlines()[-1].startswith("clipsearch: ")
    assert tmp_path / "i" not in known()


def test_a_served_index_is_remembered(run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = []
    monkeypatch.setattr("clipsearch_ui.launch.launch", lambda index, **_: served.append(index) or 0)
    assert run("ui", "--index", photos, "--no-browser").code == 0
    assert served == [photos / ".clipsearch"] == [known()[0]]
