"""`clipsearch search`, as a person and as a program sees it."""

from __future__ import annotations

import io
import sys

import pytest

from clipsearch.query.index import Index

from .conftest import paint


def test_json_is_one_object_with_whole_rows(run, photos):
    result = run("search", "red", "-k", 3, "--json", "--index", photos / ".clipsearch")
    assert result.code == 0
    assert result.err == ""
    hits = result.json["hits"]
    assert len(hits) == 3
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert set(hits[0]) >= {"id", "path", "score", "root", "width", "height", "taken_at", "caption", "bytes", "mtime"}
    with Index(photos / ".clipsearch") as index:
        expected = index.search("red", k=3)
    assert [(h["id"], h["path"]) for h in hits] == [(h.id, h.path) for h in expected]


def test_a_picture_finds_itself_first(run, photos):
    for file in ("b/red.png", "a/blue.png"):
        result = run("search", "--image", photos / file, "--paths", "--index", photos / ".clipsearch")
        assert result.out.splitlines()[0] == str(photos / file)


def test_a_picture_from_standard_input(run, photos, monkeypatch):
    class Piped:
        buffer = io.BytesIO((photos / "b/green.png").read_bytes())

    monkeypatch.setattr(sys, "stdin", Piped)
    result = run("search", "--image", "-", "-k", 1, "--paths", "--index", photos / ".clipsearch")
    assert result.out == f"{photos / 'b/green.png'}\n"


def test_text_and_picture_make_one_query(run, photos):
    index = photos / ".clipsearch"
    both = run("search", "blue", "--image", photos / "b/red.png", "--json", "--index", index).json["hits"]
    with Index(index) as opened:
        expected = opened.search("blue", image=photos / "b/red.png")
    assert [h["id"] for h in both] == [h.id for h in expected]


def test_like_leaves_the_picture_itself_out_and_still_gives_k(run, photos):
    index = photos / ".clipsearch"
    first = run("search", "red", "-k", 1, "--json", "--index", index).json["hits"][0]["id"]
    hits = run("search", "--like", first, "-k", 7, "--json", "--index", index).json["hits"]
    assert len(hits) == 7
    assert first not in [hit["id"] for hit in hits]


def test_nul_ended_paths_survive_newlines(run, tmp_path):
    odd = tmp_path / "p" / "two\nlines.png"
    paint(odd, "red")
    assert run("index", tmp_path / "p", "--model", "mini").code == 0
    result = run("search", "red", "-0", "--index", tmp_path / "p")
    assert result.out == f"{odd}\0"


def test_elsewhere_than_in_a_terminal_lines_are_tab_separated(run, photos):
    lines = run("search", "red", "-k", 2, "--index", photos / ".clipsearch").out.splitlines()
    assert lines[0].split("\t") == ["score", "relevance", "id", "path", "caption", "size"]
    assert len(lines) == 3
    assert lines[1].split("\t")[5] == "64x48"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "Nothing is asked"),
        (["red", "--json", "--paths"], 2, "exclude each other"),
        ([""], 1, "empty"),
        (["--like", "99999"], 1, "no picture with id 99999"),
        (["--image", "nowhere.jpg"], 1, "nowhere.jpg"),
        (["red", "-k", "0"], 2, "is not in the range x>=1"),
    ],
)
def test_bad_input_gets_a_sentence_and_a_code(run, photos, arguments, code, says):
    result = run("search", *arguments, "--index", photos / ".clipsearch")
    assert result.code == code
    assert says in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


def test_a_text_file_as_query_picture_is_refused_in_words(run, photos, tmp_path):
    (tmp_path / "note.jpg").write_text("hello")
    result = run("search", "--image", tmp_path / "note.jpg", "--index", photos / ".clipsearch")
    assert result.code == 1
    assert "cannot be used as a query" in result.err
