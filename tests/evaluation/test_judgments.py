from __future__ import annotations

import json

import pytest

from clipsearch.errors import QueryError
from clipsearch.evaluation.collection import collection_of
from clipsearch.evaluation.judgments import from_column, from_file, read_judgments
from clipsearch.store.snapshot import Snapshot


@pytest.fixture
def collection():
    opened = []

    def of(album):
        index, snapshot = album.open(), Snapshot(album.index)
        opened.extend((index, snapshot))
        return collection_of(index, snapshot)

    yield of
    for one in opened:
        one.close()


def said(judgments, collection):
    """(text, path, grade) of every pair."""
    pairs = judgments.pairs
    return {
        (judgments.texts[q], collection.index.get(d)["path"], g)
        for q, d, g in zip(pairs.queries.tolist(), pairs.documents.tolist(), pairs.grades.tolist(), strict=True)
    }


def test_tabs_with_a_heading_and_grades(tmp_path):
    path = tmp_path / "j.tsv"
    path.write_text("query\tpicture\tgrade\na dog\tdogs/1.jpg\t2\n\na cat\t2.jpg\n")
    assert read_judgments(path) == [("a dog", "dogs/1.jpg", 2.0), ("a cat", "2.jpg", 1.0)]


def test_objects_of_both_kinds(tmp_path):
    path = tmp_path / "j.jsonl"
    lines = [
        {"query": "a dog", "picture": "1.jpg", "grade": 3},
        {"query": "a cat", "picture": "2.jpg"},
        {"file": "3.jpg", "captions": ["a cow", "a brown cow"], "split": "dev"},
        {"file": "4.jpg", "captions": "a pig"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert read_judgments(path) == [
        ("a dog", "1.jpg", 3.0),
        ("a cat", "2.jpg", 1.0),
        ("a cow", "3.jpg", 1.0),
        ("a brown cow", "3.jpg", 1.0),
        ("a pig", "4.jpg", 1.0),
    ]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("j.tsv", "a dog\n", "Line 1"),
        ("j.tsv", "a dog\t1.jpg\tgood\n", "Line 1"),
        ("j.tsv", "a\t1.jpg\t1\na dog\t1.jpg\t-1\n", "Line 2"),
        ("j.tsv", "a dog\t1.jpg\tnan\n", "Line 1"),
        ("j.tsv", "a dog\t1.jpg\t5000\n", "Line 1"),
        ("j.tsv", " \t1.jpg\n", "Line 1"),
        ("j.jsonl", "{}\n", "Line 1"),
        ("j.jsonl", '{"query": 3, "picture": "1.jpg"}', "Line 1"),
        ("j.jsonl", '{"file": "1.jpg", "captions": 5}', "Line 1"),
        ("j.jsonl", "[1]", "Line 1"),
        ("j.jsonl", "\n", "holds no judgments"),
        ("j.csv", "a,b", "neither .tsv nor .jsonl"),
    ],
)
def test_what_is_no_judgment_is_refused_by_its_line(tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(QueryError, match=sentence):
        read_judgments(path)


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(QueryError, match="cannot be read"):
        read_judgments(tmp_path / "none.tsv")
    (tmp_path / "binary.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(QueryError, match="cannot be read"):
        read_judgments(tmp_path / "binary.tsv")


def test_pictures_are_named_by_the_end_of_their_path(album, collection, tmp_path):
    for number, name in enumerate(["a/one.png", "b/one.png", "b/two.png"]):
        album.paint(name, number)
    album.put("copy/two.png", (album.folder / "b/two.png").read_bytes())
    album.build()
    path = tmp_path / "j.tsv"
    path.write_text("x\ta/one.png\nx\tone.png\ny\ttwo.png\t2\nz\tnowhere.png\nx\tb/one.png\t0\n")
    found = from_file(collection(album), path)
    assert said(found, collection(album)) == {("x", "a/one.png", 1.0), ("y", "b/two.png", 2.0)}
    assert found.notes[0].startswith("2 of the pictures in j.tsv")  # one.png is two pictures, nowhere.png none


def test_a_file_about_other_pictures_is_refused(colours, collection, tmp_path):
    path = tmp_path / "j.tsv"
    path.write_text("x\tnowhere.png\n")
    with pytest.raises(QueryError, match=r"'nowhere\.png'"):
        from_file(collection(colours), path)


def test_a_column_may_hold_one_caption_or_several(colours, collection):
    one, several = (from_column(collection(colours), column, 99) for column in ("caption", "captions"))
    assert len(one.texts) == 8
    assert len(several.texts) == 16
    assert {(text.split()[-1], grade) for text, _, grade in said(several, collection(colours))} == {
        (text.split()[-1], grade) for text, _, grade in said(one, collection(colours))
    }


def test_a_sample_is_always_the_same_and_keeps_all_captions_of_a_picture(colours, collection):
    drawn = from_column(collection(colours), "captions", 3)
    assert len(drawn.texts) == 6
    assert len(set(drawn.pairs.documents.tolist())) == 3
    assert from_column(collection(colours), "captions", 3).texts == drawn.texts


def test_copies_share_their_captions(album, collection, png):
    album.shard("x.parquet", {"image": [png(5), png(5)], "caption": ["a dog", "a hound"]})
    album.build()
    found = from_column(collection(album), "caption", 9)
    assert set(found.texts) == {"a dog", "a hound"}
    assert len(set(found.pairs.documents.tolist())) == 1


def test_columns_without_text_are_refused_or_empty(colours, collection):
    with pytest.raises(QueryError, match="no column 'nope'"):
        from_column(collection(colours), "nope", 9)
    with pytest.raises(QueryError, match="holds no text"):
        from_column(collection(colours), "number", 9)
    assert from_column(collection(colours), "camera", 9) is None
