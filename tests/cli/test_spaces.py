"""`clipsearch spaces`, and `clipsearch index` with several models: an upgrade from one model to another."""

from __future__ import annotations

import shutil

import pytest

import clipsearch
from tests.tiny_model import write_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    return write_tiny(folder)


@pytest.fixture
def index(photos, tmp_path):
    """The index of the folder, in the folder."""
    return shutil.copytree(photos, tmp_path / "photos") / ".clipsearch"


def test_an_upgrade_is_add_switch_drop(run, index, tiny):
    result = run("spaces", "add", index, "--model", tiny, "--offline")
    assert result.code == 0
    assert "Space tiny: 8 pictures" in result.out
    assert f"clipsearch spaces switch {index} tiny" in result.out
    listed = run("spaces", "--index", index, "--json").json["spaces"]
    assert [(s["name"], s["dim"], s["pictures"], s["weight"], s["main"]) for s in listed] == [
        ("mini", 256, 8, 1.0, True),
        ("tiny", 24, 8, None, False),
    ]
    result = run("spaces", "switch", index, "tiny")
    assert (result.code, result.out) == (0, "tiny answers from now on.\n")
    assert run("info", "--index", index, "--json").json["model"] == str(tiny)
    result = run("spaces", "drop", index, "mini")
    assert (result.code, result.out) == (0, "mini left the index.\n")
    result = run("spaces", "--index", index)
    assert [line.split("\t")[0] for line in result.out.splitlines()] == ["space", "tiny"]
    assert not (index / "CURRENT").exists()


def test_every_command_that_looks_after_an_index_knows_its_spaces(run, index, tiny):
    run("spaces", "add", index, "--model", tiny, "--offline")
    run("spaces", "switch", index, "tiny=1", "mini=0.5")
    run("sql", "--index", index, "select 1")
    info = run("info", "--index", index, "--json").json
    assert (info["path"], info["pictures"], info["failures"]) == (str(index), 8, 2)
    assert info["bytes"] == pytest.approx(sum(p.stat().st_size for p in index.rglob("*") if p.is_file()))
    assert run("failures", "--index", index, "--json").json["failures"][0]["path"] == "broken.jpg"
    assert run("verify", "--index", index).code == 0
    assert run("compact", "--index", index).code == 0
    result = run("repair", "--index", index)
    assert (result.code, "8 pictures" in result.out) == (0, True)
    (index.parent / "a").rename(index.parent / "elsewhere")
    report = run("index", index.parent, "--json").json
    assert (report["index"], report["model"], report["total"]) == (str(index), str(tiny), 8)
    assert [(s["name"], s["embedded"], s["reused"], s["total"]) for s in report["spaces"]] == [("mini", 0, 4, 8)]
    assert clipsearch.verify(index).problems == ()


def test_index_takes_several_models_and_captions(run, index, tiny, tmp_path):
    place = tmp_path / "new.index"
    result = run("index", index.parent, "--index", place, "--model", "mini", "--model", tiny, "--embed-captions")
    assert result.code == 0
    assert "Space tiny: 8 pictures, made with" in result.out
    assert "Space captions: 0 captions, made with mini" in result.out
    assert run("index", index.parent, "--index", place, "--model", tiny, "--model", tiny).code == 2


def test_a_model_whose_folder_moved_is_named_anew(run, index, tiny, tmp_path):
    before = shutil.copytree(tiny, tmp_path / "before")
    run("spaces", "add", index, "--model", before, "--offline")
    after = before.rename(tmp_path / "after")
    shutil.copy(index.parent / "a/blue.png", index.parent / "more.png")
    with (index.parent / "more.png").open("ab") as file:
        file.write(b"another content")
    assert run("index", index.parent, "--offline").code == 1
    result = run("index", index.parent, "--offline", "--model", "mini", "--model", after)
    assert (result.code, result.err) == (0, "")
    assert run("spaces", "--index", index, "--json").json["spaces"][1]["pictures"] == 9


def test_switching_says_what_it_does(run, index, tiny):
    run("label", "--index", index, "--labels", "cat,dog")
    run("spaces", "add", index, "--model", tiny, "--offline")
    result = run("spaces", "switch", index, "tiny=1", "mini=0.5")
    assert result.out == "tiny (1) and mini (0.5) answer from now on.\n"
    assert result.err == "The columns of label were taken along; pictures that come later have none of them.\n"
    assert len(run("sql", "--index", index, "--json", "select distinct label from images").json["rows"]) > 0
    result = run("label", "--index", index, "--labels", "cat,dog", "--offline")  # now with the other model
    assert result.code == 0
    assert "8 pictures labelled" in result.out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("switch", "INDEX", "nothing"), 1, "those it has are: mini"),
        (("switch", "INDEX", "mini=much"), 2, "write it like mini=0.5"),
        (("switch", "INDEX", "mini=-1"), 2, "give a number above 0"),
        (("switch", "INDEX", "mini", "mini=2"), 2, "named twice"),
        (("drop", "INDEX", "mini"), 2, "clipsearch spaces switch"),
        (("drop", "INDEX", "other"), 1, "those it has are: mini"),
        (("add", "INDEX", "--model", "mini"), 2, "is the model of the index already"),
        (("add", "INDEX", "--model", "no/such/model"), 1, "no/such/model"),
    ],
)
def test_refusals(run, photos, arguments, code, says):
    result = run("spaces", *[photos / ".clipsearch" if a == "INDEX" else a for a in arguments])
    assert result.code == code
    assert says in result.err
    assert "Traceback" not in result.err


def test_without_an_index_nothing_is_made(run, tmp_path):
    result = run("spaces", "add", tmp_path / "none.index", "--model", "mini")
    assert result.code == 1
    assert "There is no index at" in result.err
    assert not (tmp_path / "none.index").exists()
