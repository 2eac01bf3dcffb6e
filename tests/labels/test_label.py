"""Labelling an index: columns like any other, later pictures, examples, and names."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clipsearch
from clipsearch.errors import QueryError, SourceError, UsageError
from clipsearch.labels import columns_of, drop_labels
from tests.toy import ToyEncoder

COLOURS = {"red": 3, "green": 2, "blue": 4}


@pytest.fixture
def coloured(album):
    """Nine pictures of three colours."""
    for colour, count in COLOURS.items():
        for number in range(count):
            album.fill(
                f"{colour}/{number}.png", colour if number == 0 else f"hsl({HUES[colour]}, {100 - number}%, 50%)"
            )
    album.build()
    return album


HUES = {"red": 0, "green": 120, "blue": 240}


def label(album, **how):
    return clipsearch.label(album.index, how.pop("labels", list(COLOURS)), encoder=album.encoder, **how)


def values(album, *columns: str) -> list[tuple]:
    with album.open() as index:
        table = index.sql(f"SELECT {', '.join(columns)} FROM images ORDER BY path")
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_every_picture_has_its_label_and_its_probability(coloured):
    report = label(coloured)
    assert dict(report.counts) == {"blue": 4, "red": 3, "green": 2}
    assert list(report.counts) == ["blue", "red", "green"]
    assert (report.pictures, report.labelled, report.unlabelled) == (9, 9, 0)
    assert report.columns == ("label", "label_probability")
    for path, found, probability in values(coloured, "path", "label", "label_probability"):
        assert path.startswith(found)
        assert 1 / 3 < probability <= 1
    coloured.assert_sound()


def test_columns_are_like_any_other(coloured):
    label(coloured, name="colour")
    with coloured.open() as index:
        assert index.count("colour = 'red' AND colour_probability > 0.5") == 3
        assert {hit.metadata["colour"] for hit in index.search("red", where="colour = 'blue'", k=9)} == {"blue"}
        assert len(index.search("red", k=9, group_by="colour")) == 3
        assert index.browse(k=5, sort="colour:asc").rows["colour"].to_pylist() == ["blue"] * 4 + ["green"]
        facet = index.facets().of("colour")
        assert facet is not None
        assert facet.values == (("blue", 4), ("red", 3), ("green", 2))
        assert index.count(clipsearch.Filter(any_of={"colour": ("green",)})) == 2
        assert index.get(1)["colour"] in COLOURS
        assert index.computed == {"colour": ("colour", "colour_probability")}


def test_probabilities_of_every_label_sum_to_one(coloured):
    report = label(coloured, each=True, labels=["red", "Light Green", "light-green", "青"])
    assert report.columns[2:] == ("label_red", "label_light_green", "label_light_green_2", "label_青")
    rows = values(coloured, "label_probability", *(f'"{column}"' for column in report.columns[2:]))
    for best, *probabilities in rows:
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        assert best == max(probabilities)


def test_several_labels_may_apply(coloured):
    report = label(coloured, multi=True)
    rows = values(coloured, "label_red", "label_green", "label_blue")
    expected = {name: sum(row[place] >= 0.5 for row in rows) for place, name in enumerate(COLOURS)}
    assert dict(report.counts) == expected
    assert report.multi


def test_later_pictures_wait_for_an_update(coloured):
    label(coloured)
    label(coloured, name="other", labels=["red", "blue"], each=True)
    before = values(coloured, "path", "label", "other_red")
    coloured.fill("later/one.png", "hsl(0, 90%, 50%)")
    (coloured.folder / "blue/0.png").rename(coloured.folder / "moved.png")
    coloured.build()
    found = dict(zip(*zip(*values(coloured, "path", "label"), strict=True), strict=True))
    assert (found["later/one.png"], found["moved.png"]) == (None, "blue")
    assert [(r.name, r.unlabelled) for r in columns_of(coloured.index).labels] == [("label", 1), ("other", 1)]
    reports = clipsearch.update_columns(coloured.index).labels
    assert [(r.labelled, r.unlabelled, r.pictures) for r in reports] == [(1, 0, 10)] * 2
    after = {path: (one, other) for path, one, other in values(coloured, "path", "label", "other_red")}
    assert after["later/one.png"][0] == "red"
    assert all(after[path] == (one, other) for path, one, other in before if path != "blue/0.png")
    assert [r.labelled for r in clipsearch.update_columns(coloured.index).labels] == [0, 0]
    coloured.assert_sound()


def test_replaced_and_dropped(coloured):
    label(coloured, each=True)
    label(coloured, labels=["white", "red"])
    with coloured.open() as index:
        assert "label_green" not in index.get(1)
        assert set(index.sql("SELECT DISTINCT label FROM images")["label"].to_pylist()) <= {"white", "red"}
    drop_labels(coloured.index, "label")
    assert columns_of(coloured.index).labels == ()
    with pytest.raises(QueryError, match="those it has are: none"):
        drop_labels(coloured.index, "label")


def test_what_cannot_be_is_refused_and_leaves_the_index_alone(coloured):
    version = columns_of(coloured.index).labels
    for how in (
        {"name": "width"},
        {"name": "a b"},
        {"labels": ["red"]},
        {"templates": ["no place"]},
        {"templates": "x"},
    ):
        with pytest.raises(UsageError):
            label(coloured, **how)
    label(coloured, name="x")
    with pytest.raises(UsageError, match="'x_probability'"):
        label(coloured, name="x_probability")
    with pytest.raises(UsageError, match="spell it alike"):
        label(coloured, name="X")
    assert version == ()
    coloured.assert_sound()


def examples(album, folder):
    for colour, hue in HUES.items():
        for number in range(3):
            album.fill(f"../{folder}/{colour}/{number}.png", f"hsl({hue}, {60 + 5 * number}%, 40%)")
    return album.folder.parent / folder


def test_learnt_from_a_folder_a_label(coloured):
    place = examples(coloured, "examples")
    (place / "red/broken.jpg").write_bytes(b"no picture")
    (place / "red/notes.txt").write_text("no picture")
    report = clipsearch.label_from_examples(coloured.index, place, encoder=coloured.encoder)
    assert dict(report.counts) == COLOURS
    assert (report.examples, report.unreadable) == (9, 1)
    assert report.accuracy is not None
    assert report.accuracy.folds == (1.0, 1.0, 1.0)
    coloured.fill("later.png", "hsl(240, 80%, 60%)")
    coloured.build()
    [updated] = clipsearch.update_columns(coloured.index).labels
    assert updated.labelled == 1
    assert dict(updated.counts)["blue"] == 5


class NoImages(ToyEncoder):
    def encode_images(self, pixels):
        raise AssertionError("embedded again")


def test_stored_vectors_are_not_embedded_again(coloured):
    report = clipsearch.label_from_examples(coloured.index, coloured.folder, encoder=NoImages())
    assert (report.examples, dict(report.counts)) == (9, COLOURS)


def test_learnt_from_parquet(coloured):
    place = examples(coloured, "examples")
    files = sorted(place.rglob("*.png"))
    table = {"image": [file.read_bytes() for file in files], "colour": [file.parent.name for file in files]}
    table["colour"][0] = None
    shard = place / "examples.parquet"
    pq.write_table(pa.table(table), shard)
    report = clipsearch.label_from_examples(
        coloured.index, shard, label_column="colour", name="hue", encoder=coloured.encoder
    )
    assert (report.examples, dict(report.counts)) == (8, COLOURS)
    with pytest.raises(SourceError, match="--label-column: image, colour"):
        clipsearch.label_from_examples(coloured.index, shard, encoder=coloured.encoder)


def test_examples_that_are_none(coloured, tmp_path):
    empty = tmp_path / "empty"
    (empty / "a").mkdir(parents=True)
    for wrong in (tmp_path / "nowhere", empty):
        with pytest.raises(SourceError, match="example"):
            clipsearch.label_from_examples(coloured.index, wrong, encoder=coloured.encoder)
    one = examples(coloured, "one")
    for colour in ("red", "green"):
        for file in (one / colour).iterdir():
            file.unlink()
    with pytest.raises(UsageError, match="fewer than two"):
        clipsearch.label_from_examples(coloured.index, one, encoder=coloured.encoder)


def test_an_index_without_pictures(album):
    album.build()
    report = clipsearch.label(album.index, ["a", "b"], encoder=album.encoder)
    assert (report.pictures, dict(report.counts)) == (0, {"a": 0, "b": 0})
    album.fill("a.png", "red")
    album.build()
    [updated] = clipsearch.update_columns(album.index).labels
    assert updated.labelled == 1
    assert np.isfinite(values(album, "label_probability")[0][0])
