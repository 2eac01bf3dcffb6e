"""What is typed after `clipsearch search`, as the query it makes."""

from __future__ import annotations

import json

import pytest

from clipsearch import Query, image, text
from clipsearch.cli.query_options import weighted
from clipsearch.query.index import Index


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("stripes", ("stripes", 1)),
        ("stripes:0.7", ("stripes", 0.7)),
        ("stripes:.7", ("stripes", 0.7)),
        ("stripes:2", ("stripes", 2)),
        ("stripes:-0.5", ("stripes", -0.5)),
        ("two words:0.5", ("two words", 0.5)),
        ("ratio 4:3:1", ("ratio 4:3", 1)),
        ("horse:0.7:1", ("horse:0.7", 1)),
        ("a: b", ("a: b", 1)),
        (":0.7", (":0.7", 1)),
        ("10:30 train", ("10:30 train", 1)),
        ("nan:nan", ("nan:nan", 1)),
        ("savanna.jpg:0.5", ("savanna.jpg", 0.5)),
        (r"C:\x.jpg", (r"C:\x.jpg", 1)),
        (r"C:\x.jpg:0.5", (r"C:\x.jpg", 0.5)),
        (r"C:\Users\me\4.jpg", (r"C:\Users\me\4.jpg", 1)),
        ("-:0.5", ("-", 0.5)),
    ],
)
def test_weights(typed, meant):
    assert weighted(typed) == meant


def ids(result):
    assert result.code == 0, result.err
    return [hit["id"] for hit in result.json["hits"]]


def test_the_command_asks_what_the_library_asks(run, photos):
    index, red = photos / ".clipsearch", photos / "b/red.png"
    typed = run("search", "a wall", "--plus", "blue:0.7", "--minus", "green:0.4", "--image", f"{red}:0.5", "--json",
                "--index", index)  # fmt: skip
    with Index(index) as opened:
        asked = text("a wall") + 0.7 * text("blue") - 0.4 * text("green") + 0.5 * image(red)
        assert ids(typed) == opened.search(asked).ids.tolist()
        assert typed.json["query"] == {
            "text": "a wall", "image": [f"{red}:0.5"], "plus": ["blue:0.7"], "minus": ["green:0.4"], "k": 10
        }  # fmt: skip
        liked = run("search", "a wall", "--like", 1, "--like", 2, "--unlike", 3, "--json", "--index", index)
        assert ids(liked) == opened.search("a wall", like=[1, 2], unlike=[3]).ids.tolist()
        assert len(ids(liked)) == 5
        plain = run("search", "wall", "--no-templates", "--json", "--index", index)
        assert plain.json["hits"][0]["score"] == pytest.approx(
            opened.search("wall", templates=False)[0].score, abs=1e-6
        )


def test_several_pictures_and_a_name_that_looks_weighted(run, photos, tmp_path):
    odd = tmp_path / "red.png:2"
    odd.write_bytes((photos / "b/red.png").read_bytes())
    index = photos / ".clipsearch"
    typed = run("search", "--image", odd, "--image", photos / "a/blue.png", "--json", "--index", index)
    with Index(index) as opened:
        asked = Query(image(odd), image(photos / "a/blue.png"))
        assert ids(typed) == opened.search(asked).ids.tolist()


def test_groups_order_and_pages(run, photos):
    index = photos / ".clipsearch"
    grouped = run("search", "red", "--group-by", "folder", "--json", "--index", index).json["hits"]
    assert {hit["relative_path"].split("/")[0] for hit in grouped} == {"a", "b"}
    assert len(grouped) == 2
    by_path = run("search", "red", "--sort", "path:asc", "--paths", "--index", index).out.splitlines()
    assert by_path == sorted(by_path)
    pages, cursor = [], ()
    while cursor is not None:
        page = run("search", "red", "-k", 3, *cursor, "--json", "--index", index).json
        pages.append([hit["id"] for hit in page["hits"]])
        cursor = page["cursor"] and ("--page", page["cursor"])
    assert [len(page) for page in pages] == [3, 3, 2]
    assert [picture for page in pages for picture in page] == ids(run("search", "red", "--json", "--index", index))
    second = run("search", "red", "-k", 3, "--page", run("search", "red", "-k", 3, "--json", "--index", index)
                 .json["cursor"], "--paths", "--index", index)  # fmt: skip
    assert second.err.startswith("Next page: --page ")


def test_many_texts(run, photos, tmp_path):
    lines = tmp_path / "queries.txt"
    lines.write_text("\ufeffa red wall\n\n  blue \n", "utf-8")
    index = photos / ".clipsearch"
    answers = [json.loads(line) for line in
               run("search", "--queries", lines, "-k", 3, "--json", "--index", index).out.splitlines()]  # fmt: skip
    assert [answer["query"]["text"] for answer in answers] == ["a red wall", "blue"]
    for answer in answers:
        alone = run("search", answer["query"]["text"], "-k", 3, "--json", "--index", index)
        assert [hit["id"] for hit in answer["hits"]] == ids(alone)
    table = run("search", "--queries", lines, "-k", 3, "--index", index).out.splitlines()
    assert table[0].split("\t")[:3] == ["query", "score", "relevance"]
    assert [row.split("\t")[0] for row in table[1:]] == ["a red wall"] * 3 + ["blue"] * 3
    csv = run("search", "--queries", lines, "-k", 2, "--csv", "--index", index).out.splitlines()
    assert csv[0].startswith("query,id,path,score,relevance,")
    assert len(csv) == 5


def test_many_pictures(run, photos, tmp_path):
    import pyarrow.parquet as pq

    index, target = photos / ".clipsearch", tmp_path / "found.parquet"
    assert run("search", "--images", photos / "a", "-k", 1, "--parquet", target, "--index", index).code == 0
    table = pq.read_table(target)
    assert table["query"].to_pylist() == sorted(str(file) for file in (photos / "a").iterdir())
    assert table["path"].to_pylist() == table["query"].to_pylist(), "each finds itself"
    paths = run("search", "--images", photos / "a", "-k", 1, "--paths", "--index", index).out.splitlines()
    assert paths == table["path"].to_pylist()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--plus", ""], 1, "empty"),
        (["red", "--group-by", "colour"], 1, "colour"),
        (["red", "--diversity", "2"], 2, "is not in the range 0<=x<=1"),
        (["red", "--sort", "widht"], 1, "did you mean width"),
        (["red", "--sort", "width", "--diversity", "0.5"], 1, "leave out one"),
        (["red", "--minus", "red"], 1, "cancel"),
        (["red", "--page", "x"], 1, "no page cursor"),
        (["red", "--not", "blue"], 1, "--minus"),
        (["red", "--like", "1", "--unlike", "1"], 1, "both liked and not"),
        (["red", "--csv", "--json"], 2, "exclude each other"),
        (["red", "--copy-to", "a", "--link-to", "b"], 2, "exclude each other"),
        (["--queries", "nowhere.txt"], 2, "nowhere.txt"),
        (["--images", "nowhere"], 2, "nowhere"),
        (["--queries", "a", "--images", "b"], 2, "exclude each other"),
        (["red", "--queries", "a"], 2, "a text"),
        (["--like", "3", "--queries", "a"], 2, "--like"),
        (["--not", "red"], 1, "Nothing is asked"),
    ],
    ids=str,
)
def test_what_makes_no_sense_gets_a_sentence(run, photos, tmp_path, monkeypatch, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    result = run("search", *arguments, "--index", photos / ".clipsearch")
    assert (result.code, result.out) == (code, "")
    assert says in result.err
    assert "Traceback" not in result.err
