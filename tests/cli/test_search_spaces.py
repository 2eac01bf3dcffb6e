"""`clipsearch search --in` and `eval --in` on an index with several embedding spaces."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from clipsearch.cli.space_options import spaces_from
from clipsearch.errors import UsageError
from clipsearch.models import load_encoder
from clipsearch.query.index import Index
from tests.query.two_spaces import add_space, answer_with
from tests.tiny_model import write_tiny


@pytest.fixture(scope="module")
def several(demo: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gallery's index with its captions and, of a few pictures, another model's vectors."""
    place = tmp_path_factory.mktemp("several")
    index = place / "several.index"
    shutil.copytree(demo[0], index)
    (place / "model").mkdir()
    with Index(index) as opened:
        few = opened.sql("SELECT id FROM images WHERE id > 60")["id"].to_pylist()
    add_space(index, "tiny", load_encoder(str(write_tiny(place / "model")), device="cpu", offline=True), without=few)
    add_space(index, "captions", load_encoder("mini", device="cpu", offline=True), of="captions")
    return index


@pytest.fixture
def search(several: Path, run: Callable) -> Callable:
    return lambda *more: run("search", *more, "--index", several, "--offline")


def test_spaces_are_asked_alone_or_fused_as_told(search, several):
    for options, spaces in [
        ([], None),
        (["--in", "tiny"], "tiny"),
        (["--in", "mini", "--in", "tiny"], {"mini": 1, "tiny": 1}),
        (["--weights", "mini=1,tiny=0.25"], {"mini": 1, "tiny": 0.25}),
        (["--in", "tiny", "--in", "mini", "--weights", "mini=2,tiny=0"], "mini"),
    ]:
        found = search("a sandy beach", "-k", 5, "--all", "--json", *options).json["hits"]
        with Index(several, offline=True) as index:
            expected = index.search("a sandy beach", k=5, spaces=spaces)
        assert [hit["id"] for hit in found] == expected.ids.tolist()
        np.testing.assert_allclose([hit["score"] for hit in found], expected.scores, rtol=1e-5)


def test_captions_by_picture_are_printed_before_their_pictures(search, several):
    with Index(several, offline=True) as index:
        row = index.sql(
            "SELECT id, caption FROM images WHERE caption ILIKE '%red car%' ORDER BY id LIMIT 1"
        ).to_pylist()[0]
        picture = index.file(row["id"])
        expected = index.search(image=picture, k=3, spaces="captions")
    result = search("--image", picture, "--in", "captions", "-k", 3)
    lines = [line.split("\t") for line in result.out.splitlines()]
    assert lines[0] == ["score", "relevance", "caption", "id", "path"]
    assert lines[1][2:4] == [row["caption"], str(row["id"])], "its own caption is the nearest"
    assert [line[2] for line in lines[1:]] == [hit.metadata["caption"] for hit in expected]
    words = search("a red car on a beach", "--in", "captions", "-k", 1, "--json").json["hits"][0]
    assert words["id"] == row["id"]
    assert words["caption"] == row["caption"]


def test_explain_shows_each_space(search):
    said = search("a boat", "--weights", "mini=1,tiny=0.5", "--explain").err
    assert "fused: mini x 1 (exact), tiny x 0.5 (exact)" in said
    assert "mini: exact index" in said
    assert "tiny: exact index" in said


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--in", "clip"], 1, "no space 'clip'; those it has are: mini, tiny, captions"),
        (["--weights", "mini"], 2, "--weights is 'mini'; give spaces with numbers"),
        (["--weights", "mini=1,=2"], 2, "give spaces with numbers"),
        (["--weights", "mini=-1,tiny=1"], 1, "weight of mini is -1"),
        (["--in", "mini", "--weights", "tiny=1"], 2, "name different spaces"),
        (["--like", "100", "--in", "tiny"], 1, "Picture 100 is not in the space tiny"),
    ],
)
def test_what_cannot_be_asked_is_said(search, options, code, says):
    result = search("a boat", *options)
    assert result.code == code
    assert says in result.err
    assert result.out == ""


def test_eval_measures_one_space(run, several):
    figures = {
        name: run(
            "eval", "--index", several, "--parts", "retrieval", "--sample", 30, "--offline", "--json", "--in", name
        ).json
        for name in ("mini", "tiny")
    }
    assert figures["mini"]["model"] == "mini"
    assert figures["mini"]["figures"]["R@10"] > 0.8
    assert figures["tiny"]["figures"]["R@1"] < 0.5 < figures["mini"]["figures"]["R@1"], "its weights are random"
    assert figures["tiny"]["pictures"] <= 60 < figures["mini"]["pictures"]
    refused = run("eval", "--index", several, "--in", "captions")
    assert refused.code == 2
    assert "captions has vectors of captions" in refused.err


def test_eval_follows_what_is_main(run, several, tmp_path):
    index = tmp_path / "switched.index"
    shutil.copytree(several, index)
    answer_with(index, tiny=1.0)
    found = run("eval", "--index", index, "--parts", "retrieval", "--sample", 30, "--offline", "--json").json
    assert found["pictures"] <= 60


def test_weights_as_they_are_typed():
    assert spaces_from(None, None) is None
    assert spaces_from(["A", "B", "A"], None) == {"A": 1.0, "B": 1.0}
    assert spaces_from(None, "A=1, B=0.5") == {"A": 1.0, "B": 0.5}
    with pytest.raises(UsageError, match="give spaces with numbers"):
        spaces_from(None, "A:1")
