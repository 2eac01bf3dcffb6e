"""`clipsearch tags`: what it prints and what it refuses."""

from __future__ import annotations

import pytest

import clipsearch

WORDS = "a night sky,a dog,the sea,snow,a house"


def test_words_for_pictures_of_an_index(run, demo):
    arguments = ("tags", "--id", 100, "--id", 1, "--vocabulary", WORDS, "-k", 2, "--index", demo[0], "--offline")
    found = clipsearch.suggest_tags(demo[0], [100, 1], WORDS.split(","), k=2, offline=True)
    result = run(*arguments)
    assert (result.code, result.err) == (0, "")
    header, *rows = result.out.splitlines()
    assert header.split("\t") == ["picture", "tag", "standing", "score"]
    told = [
        [name, tag.word, f"{tag.standing:.1f}", f"{tag.score:.3f}"]
        for name, tags in zip(["100", "1"], found, strict=True)
        for tag in tags
    ]
    assert [row.split("\t") for row in rows] == told
    assert [one["picture"] for one in run(*arguments, "--json").json["pictures"]] == ["100", "1"]
    assert run(*arguments, "--json").json["pictures"][0]["tags"][0] == pytest.approx(
        {"word": found[0][0].word, "score": found[0][0].score, "standing": found[0][0].standing}
    )


def test_a_picture_and_a_small_index(run, photos):
    index = photos / ".clipsearch"
    result = run("tags", photos / "a/blue.png", "--vocabulary", "red,blue", "--index", index, "--offline")
    assert result.code == 0
    header, *rows = result.out.splitlines()
    assert header.split("\t") == ["tag", "standing", "score"]
    assert sorted(row.split("\t")[:2] for row in rows) == [["blue", ""], ["red", ""]]
    assert "too few pictures" in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--vocabulary", "a,b"], 2, "--id"),
        (["gone.jpg", "--vocabulary", "a,b"], 1, "gone.jpg"),
        (["--id", "1", "--vocabulary", "no.txt"], 2, "cannot be read"),
        (["--id", "999", "--vocabulary", "a,b"], 1, "no picture with id 999"),
    ],
)
def test_what_is_refused(run, photos, arguments, code, says):
    result = run("tags", *arguments, "--index", photos / ".clipsearch", "--offline")
    assert (result.code, result.out) == (code, "")
    assert says in result.err
    assert len(result.err.splitlines()) == 1
