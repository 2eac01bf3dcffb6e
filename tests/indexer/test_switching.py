"""From one model to another while somebody reads: switch, and drop what was before."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import clipsearch
from clipsearch.errors import QueryError, UsageError
from clipsearch.store.computed import put_columns
from clipsearch.store.every_space import list_spaces
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.spaces import read_spaces
from clipsearch.store.switching import drop_space, switch_spaces
from clipsearch.store.writer import open_for_writing
from tests.indexer.spaces import assert_level, rows_in, vectors_in
from tests.query.two_spaces import OtherEncoder


@pytest.fixture
def upgraded(album):
    """An album with two spaces, of which the first answers."""
    album.other = OtherEncoder()
    album.paint_many(10)
    album.build(encoder=[album.encoder, album.other])
    switch_spaces(album.index, "toy")
    return album


def test_a_reader_follows_a_switch_and_the_old_space_can_be_dropped_under_one_that_does_not(upgraded):
    album = upgraded
    reader, follower = Snapshot(album.index), Snapshot(album.index)
    rows, vectors = rows_in(album.index, "toy"), vectors_in(album.index, "toy")
    assert switch_spaces(album.index, "other").answering == (("other", 1.0),)
    assert not follower.is_current()
    follower.close()
    drop_space(album.index, "toy")
    # What it opens only now is there all the same.
    assert reader.catalog.fetch("SELECT count(*) FROM images") == [(10,)]
    assert {i: v.tobytes() for i, v in zip(vectors, reader.vectors_of(list(vectors)), strict=True)} == {
        i: v.tobytes() for i, v in vectors.items()
    }
    assert not reader.is_current()
    with clipsearch.open(album.index, encoder=album.other) as index:
        assert (len(index), index.model) == (10, "other")
        assert len(index.search("red", k=10)) == 10
    reader.close()

    album.paint_many(3, first=10)
    assert album.build(encoder=album.other).embedded == 3
    assert {p.name for p in album.index.iterdir()} == {"spaces", "spaces.json", "writer.lock"}
    assert rows.items() <= rows_in(album.index, "other").items()
    assert max(rows_in(album.index, "other")) == 13
    album.assert_sound()


def test_the_dropped_name_may_come_again_while_somebody_reads_the_old_one(upgraded):
    album = upgraded
    with clipsearch.open(album.index, encoder=album.encoder):
        reader = Snapshot(album.index, "other")
        drop_space(album.index, "other")
        assert read_spaces(album.index).names == ("toy",)
        album.build(encoder=[album.encoder, OtherEncoder()])
        assert read_spaces(album.index).named("other").folder == "spaces/other~2"
        assert len(reader.catalog.fetch("SELECT id FROM images")) == 10
        reader.close()
    assert_level(album, "other", OtherEncoder())
    album.build(encoder=[album.encoder, album.other])
    assert [p.name for p in (album.index / "spaces").iterdir()] == ["other~2"]


def test_ids_that_the_old_main_space_gave_out_are_not_given_out_again(upgraded):
    album = upgraded
    album.paint("late.png", seed=500)
    with open_for_writing(album.index) as writer:  # indexed, but the other space was never brought level
        writer.take_ids(5)
        writer.publish()
    switch_spaces(album.index, "other")
    album.build(encoder=[album.other, album.encoder])
    assert {row["path"]: i for i, row in rows_in(album.index, "other").items()}["late.png"] == 16
    assert_level(album, "toy", album.encoder, main="other")


def test_versions_of_the_index_only_ever_go_up(upgraded):
    seen = []
    for name in ("other", "toy", "other", "other"):
        switch_spaces(upgraded.index, name)
        with clipsearch.open(upgraded.index) as index:
            seen.append((index.model, index.version))
    versions = [version for _, version in seen]
    assert versions[0] < versions[1] < versions[2] == versions[3]
    upgraded.assert_sound()


def test_computed_columns_are_carried_over(upgraded):
    album = upgraded
    with open_for_writing(album.index) as writer:
        ids = pa.array([1, 2, 4], pa.int64())
        put_columns(writer, "grade", [pa.table({"id": ids, "grade": ["a", "b", "a"]})], b"of the other model")
        writer.publish()
    report = switch_spaces(album.index, "other")
    assert (report.carried, report.left, report.lacking) == (("grade",), (), 0)
    with clipsearch.open(album.index, encoder=album.other) as index:
        assert index.sql("SELECT id FROM images WHERE grade = 'a' ORDER BY id")["id"].to_pylist() == [1, 4]
        assert dict(index.computed) == {"grade": ("grade",)}
    assert switch_spaces(album.index, "toy").carried == ()
    album.assert_sound()


def test_the_list_says_what_there_is(upgraded):
    switch_spaces(upgraded.index, {"toy": 1, "other": 0.5})
    found = [(s.name, s.of, s.model, s.dim, s.pictures, s.weight, s.main) for s in list_spaces(upgraded.index)]
    assert found == [("toy", "pictures", "toy", 48, 10, 1.0, True), ("other", "pictures", "other", 24, 10, 0.5, False)]


def test_dropping_touches_no_file_of_another_space(upgraded):
    def files():
        return {
            p: p.stat().st_mtime_ns
            for p in upgraded.index.rglob("*")
            if p.is_file() and "spaces" not in p.parts and p.name not in ("spaces.json", "writer.lock")
        }

    before = files()
    drop_space(upgraded.index, "other")
    assert files() == before
    assert read_spaces(upgraded.index).names == ("toy",)
    upgraded.assert_sound()


def test_refusals(upgraded):
    index = upgraded.index
    with pytest.raises(QueryError, match="has no space 'third'; those it has are: toy, other"):
        switch_spaces(index, "third")
    with pytest.raises(QueryError, match="has no space 'third'"):
        drop_space(index, "third")
    with pytest.raises(UsageError, match="toy is the main space"):
        drop_space(index, "toy")
    with pytest.raises(UsageError, match="give a number above 0"):
        switch_spaces(index, {"toy": 1, "other": 0})
    with pytest.raises(UsageError, match="give a number above 0"):
        switch_spaces(index, {"toy": float("nan")})
    with pytest.raises(UsageError, match="Name a space"):
        switch_spaces(index, {})
    upgraded.build(embed_captions=True, encoder=[upgraded.encoder, upgraded.other])
    with pytest.raises(UsageError, match="captions has vectors of captions"):
        switch_spaces(index, "captions")
    assert read_spaces(index).answering == (("toy", 1.0),)


def test_vectors_in_both_spaces_differ(upgraded):
    """The two models of these tests are two."""
    one, two = vectors_in(upgraded.index, "toy"), vectors_in(upgraded.index, "other")
    assert one.keys() == two.keys()
    assert {v.shape for v in one.values()} == {(48,)}
    assert {v.shape for v in two.values()} == {(24,)}
    assert not np.allclose(one[1][:24], two[1])
