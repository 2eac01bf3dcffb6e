"""`clipsearch label`: what it prints and what it refuses."""

from __future__ import annotations

import json
import shutil

import pytest
import torch


@pytest.fixture
def copy(photos, tmp_path):
    """A copy of the photos with their index."""
    shutil.copytree(photos, tmp_path / "photos")
    return tmp_path / "photos/.clipsearch"


def test_from_names_to_dropping_them(run, copy):
    result = run("label", "--labels", "red,blue,green", "--index", copy, "--offline")
    assert (result.code, result.err) == (0, "")
    first, header, *rows = result.out.splitlines()
    assert first == "label: 8 pictures labelled, 8 of them just now."
    assert header.split("\t") == ["label", "pictures", "share"]
    cells = [row.split("\t") for row in rows]
    counts = [int(count) for _, count, _ in cells]
    assert sum(counts) == 8
    assert counts == sorted(counts, reverse=True)
    assert [share for _, _, share in cells] == [f"{count / 8:.1%}" for count in counts]
    counted = run("sql", "select count(*) as n from images where label = 'red'", "--index", copy, "--json").json
    assert counted["rows"] == [{"n": next(int(count) for name, count, _ in cells if name == "red")}]
    listed = run("label", "--index", copy, "--json").json["labels"]
    assert [(one["name"], one["pictures"]) for one in listed] == [("label", 8)]
    assert run("label", "--update", "--index", copy).out.startswith("label: 8 pictures labelled, 0 of them just now.")
    assert run("label", "--drop", "label", "--index", copy).out == "label left the index.\n"
    assert run("label", "--index", copy).out.startswith("The index has no labels; give some")


def test_from_examples_that_are_indexed(run, copy):
    result = run("label", "--from-examples", copy.parent, "--name", "folder_name", "--index", copy)
    assert result.code == 0
    assert "Accuracy" in result.out
    assert "in 4 folds of 8." in result.out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--labels", "a,b", "--update"], 2, "exclude each other"),
        (["--labels", "a"], 2, "One label"),
        (["--labels", "a,b", "--name", "camera"], 2, "'camera' already"),
        (["--labels", "no.txt"], 2, "cannot be read"),
        (["--labels", "a,b", "--templates", "opnai"], 2, "openai, simple"),
        (["--drop", "x"], 1, "those it has are: none"),
        (["--from-examples", "nowhere"], 1, "no folders of examples"),
    ],
)
def test_what_is_refused(run, photos, arguments, code, says):
    result = run("label", *arguments, "--index", photos / ".clipsearch", "--offline")
    assert (result.code, result.out) == (code, "")
    assert says in result.err
    assert len(result.err.splitlines()) == 1


def test_scores_of_a_head_and_of_ratings(run, copy, tmp_path):
    torch.save({"weight": torch.linspace(-1, 1, 256)[None], "bias": torch.tensor([5.0])}, tmp_path / "head.pth")
    result = run("label", "--head", tmp_path / "head.pth", "--index", copy)
    assert (result.code, result.err) == (0, "")
    first, second = result.out.splitlines()
    assert first == "aesthetic: 8 pictures scored, 8 of them just now."
    assert second.startswith("From ")
    rows = run("sql", "select path, aesthetic as rating from images", "--index", copy, "--json").json["rows"]
    (tmp_path / "few.jsonl").write_text("\n".join(map(json.dumps, rows)))
    few = run("label", "--from-ratings", tmp_path / "few.jsonl", "--index", copy)
    assert (few.code, few.out) == (1, "")
    assert "rate at least 10 pictures" in few.err
    listed = run("label", "--index", copy, "--json").json
    assert [one["name"] for one in listed["scores"]] == ["aesthetic"]
    assert listed["labels"] == []
    assert run("label", "--drop", "aesthetic", "--index", copy).out == "aesthetic left the index.\n"
