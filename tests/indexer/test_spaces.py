"""Further spaces follow the main one: the same ids and metadata, vectors of their own model, through every change."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import clipsearch
from clipsearch.errors import IndexNotFound, ModelMismatch, UsageError
from clipsearch.store import roots
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.spaces import read_spaces
from clipsearch.store.switching import switch_spaces
from clipsearch_indexer import add_space
from tests.indexer.spaces import assert_level, rows_in, vectors_in
from tests.query.two_spaces import OtherEncoder
from tests.toy import ToyEncoder
from tests.vector_files import put, random_vectors, table


@pytest.fixture
def other():
    return OtherEncoder()


def both(album, other, **options):
    return album.build(encoder=[album.encoder, other], **options)


def test_several_models_at_once_give_each_a_space_and_all_answer(album, other):
    album.paint_many(11)
    album.put("bad.png", b"no picture")
    report = both(album, other)
    assert read_spaces(album.index).answering == (("toy", 1.0), ("other", 1.0))
    assert [(s.name, s.embedded, s.total) for s in report.spaces] == [("other", 11, 11)]
    assert (report.embedded, album.encoder.embedded, other.embedded) == (11, 11, 11)
    assert_level(album, "other", OtherEncoder())


def test_a_further_space_follows_what_comes_goes_changes_and_is_renamed(album, other):
    album.paint_many(12)
    both(album, other)
    album.paint("p001.png", seed=901)
    (album.folder / "p002.png").unlink()
    (album.folder / "p003.png").rename(album.folder / "renamed.png")
    shutil.copy(album.folder / "p004.png", album.folder / "copy.png")
    album.paint("new.png", seed=902)
    album.put("bad.png", b"no picture")
    before, seen = vectors_in(album.index, "other"), other.embedded
    report = both(album, other)
    [space] = report.spaces
    assert other.embedded - seen == space.embedded == 2  # the copy has a content that is known
    assert (space.removed, space.total) == (2, 13)
    assert_level(album, "other", OtherEncoder())
    kept = vectors_in(album.index, "other")
    assert all(np.array_equal(kept[i], v) for i, v in before.items() if i in kept)
    snapshot = Snapshot(album.index, "other")
    assert [f["path"] for f in snapshot.catalog.failures()] == ["bad.png"]
    again = both(album, other)
    assert [(s.embedded, s.reused, s.removed) for s in again.spaces] == [(0, 0, 0)]


def test_rows_of_parquet_files_are_read_again_from_theirs(album, other, png):
    pictures = [png(seed) for seed in range(30)]
    pictures[7] = b"broken"
    columns = {"image": pictures, "caption": [f"number {i}" for i in range(30)], "stars": list(range(30))}
    album.shard("a.parquet", columns, row_group_size=8)
    album.paint_many(3)
    both(album, other, batch_size=5)
    assert_level(album, "other", OtherEncoder())
    assert {row["stars"] for row in rows_in(album.index, "other").values()} == {None, *range(30)} - {7}


def test_a_space_is_added_while_the_old_one_goes_on_answering(album, other):
    album.paint_many(9)
    album.build()
    report = add_space(album.index, other, workers=1)
    assert (report.name, report.model, report.embedded, report.total) == ("other", "other", 9, 9)
    assert read_spaces(album.index).answering == (("toy", 1.0),)
    assert_level(album, "other", OtherEncoder())


def test_searches_go_on_and_see_only_what_was_published(album, other):
    album.paint_many(12)
    album.build()
    sizes = []
    with album.open() as index:
        best = [hit.id for hit in index.search("red", k=12)]

        def search(_):
            index.refresh()
            assert [hit.id for hit in index.search("red", k=12)] == best
            if "other" in read_spaces(album.index).names:
                sizes.append(len(rows_in(album.index, "other")))

        add_space(album.index, other, batch_size=4, workers=1, publish_every=0, progress=search)
    assert sizes == sorted(sizes)
    assert {0, 12} <= set(sizes)


def test_adding_goes_on_where_it_was_stopped(album, other):
    album.paint_many(20)
    album.build()
    report = add_space(album.index, other, batch_size=4, workers=1, stop=lambda: other.embedded >= 8)
    assert (report.interrupted, report.total) == (True, 8)
    album.assert_sound()
    report = add_space(album.index, other, workers=1)
    assert (report.interrupted, report.embedded, other.embedded) == (False, 12, 20)
    assert_level(album, "other", OtherEncoder())


def test_a_picture_that_changed_or_went_meanwhile_is_left_out_until_it_is_indexed(album, other):
    album.paint_many(6)
    album.build()
    album.paint("p000.png", seed=77)
    (album.folder / "p001.png").unlink()
    report = add_space(album.index, other)
    assert (report.embedded, report.changed, report.unreadable, report.total) == (4, 1, 1, 4)
    assert report.reasons[0].startswith("p001.png: ")
    both(album, other)
    assert_level(album, "other", OtherEncoder())


def test_pictures_of_a_folder_that_is_offline_come_later(make_album, album, other):
    album.paint_many(4)
    far = make_album("far", "photos.index")
    far.paint_many(3, first=50)
    album.build(album.folder, far.folder)
    away = far.folder.rename(far.folder.parent / "away")
    report = add_space(album.index, other)
    assert (report.embedded, report.offline, report.total) == (4, 3, 4)
    away.rename(far.folder)
    report = both(album, other)
    assert [(s.embedded, s.total) for s in report.spaces] == [(3, 7)]
    assert rows_in(album.index, "other") == rows_in(album.index, "toy")


def test_vectors_imported_without_pictures_have_nothing_to_embed(tmp_path, other):
    index = tmp_path / "photos.index"
    put(table(tmp_path / "vectors", random_vectors(5)), index)
    report = add_space(index, other)
    assert (report.embedded, report.unseen, report.total, other.embedded) == (0, 5, 0, 0)
    assert switch_spaces(index, "other").lacking == 5


def test_captions_are_embedded_by_the_main_model(album, png):
    columns = {"image": [png(i) for i in range(4)], "caption": ["a red car", None, "a red car", "blue"]}
    album.shard("a.parquet", columns)
    [space] = album.build(embed_captions=True).spaces
    assert (space.name, space.of, space.total) == ("captions", "captions", 3)
    assert read_spaces(album.index).answering == (("toy", 1.0),)
    assert_captions(album, {"a.parquet#0/0": "a red car", "a.parquet#0/2": "a red car", "a.parquet#0/3": "blue"})
    album.shard("a.parquet", columns | {"caption": ["a red car", "green", None, "cyan"]})
    [space] = album.build().spaces
    assert (space.embedded, space.removed) == (2, 1)
    assert_captions(album, {"a.parquet#0/0": "a red car", "a.parquet#0/1": "green", "a.parquet#0/3": "cyan"})


def assert_captions(album, wanted: dict[str, str]) -> None:
    rows, vectors = rows_in(album.index, "captions"), vectors_in(album.index, "captions")
    assert {row["path"]: row["caption"] for row in rows.values()} == wanted
    main = rows_in(album.index, "toy")
    for i, row in rows.items():
        assert row == main[i]
        expected = ToyEncoder().encode_texts([row["caption"]])[0].astype(np.float16)
        np.testing.assert_array_equal(vectors[i], expected)
    album.assert_sound()


def test_the_directory_can_be_moved_with_its_pictures_and_roots_can_be_relocated(make_album, other, tmp_path):
    album = make_album("photos", "photos/.clipsearch")
    album.paint_many(5)
    both(album, other)
    album.folder.rename(tmp_path / "moved")
    moved = make_album("moved", "moved/.clipsearch")
    moved.paint_many(2, first=5)
    report = both(moved, other)
    assert (report.embedded, report.spaces[0].embedded, report.spaces[0].total) == (2, 2, 7)
    assert_level(moved, "other", OtherEncoder())
    assert Snapshot(moved.index, "other").roots() == {"photos": tmp_path / "moved"}

    elsewhere = Path(shutil.copytree(tmp_path / "moved", tmp_path / "elsewhere"))
    roots.relocate(moved.index, "photos", elsewhere)
    assert [Snapshot(moved.index, s).roots() for s in ("toy", "other")] == [{"photos": elsewhere}] * 2
    assert roots.forget(moved.index, "photos") == 7
    assert [rows_in(moved.index, s) for s in ("toy", "other")] == [{}, {}]


def test_repair_rebuilds_every_space_also_without_the_list(album, other):
    album.paint_many(6)
    both(album, other)
    before = [vectors_in(album.index, s) for s in ("toy", "other")]
    for catalog in album.index.rglob("catalog-*.duckdb"):
        catalog.write_bytes(b"damaged")
    (album.index / "spaces.json").write_text("{")
    report = clipsearch.repair(album.index)
    assert (report.rows, report.set_aside) == (6, ())
    assert read_spaces(album.index).names == ("toy", "other")
    for old, space in zip(before, ("toy", "other"), strict=True):
        found = vectors_in(album.index, space)
        assert found.keys() == old.keys()
        assert all(np.array_equal(found[i], old[i]) for i in old)
    album.assert_sound()


def test_verify_names_the_space_in_which_something_is_wrong(album, other):
    album.paint_many(3)
    both(album, other)
    [vectors] = (album.index / "spaces/other/segments").rglob("vectors.npy")
    vectors.write_bytes(vectors.read_bytes()[:-1])
    problems = clipsearch.verify(album.index).problems
    assert problems
    assert all(problem.startswith("Space other: ") for problem in problems)


def test_refusals(album, other, tmp_path):
    album.paint_many(2)
    with pytest.raises(IndexNotFound):
        add_space(album.index, other)
    with pytest.raises(UsageError, match="one and the same model"):
        both(album, ToyEncoder())
    album.build()
    with pytest.raises(UsageError, match="is the model of the index already"):
        add_space(album.index, ToyEncoder())
    with pytest.raises(ModelMismatch, match="leave out --model"):
        album.build(encoder=other)
    with pytest.raises(ModelMismatch, match="leave out --model"):
        album.build(encoder=[OtherEncoder("third"), other])
    add_space(album.index, other)
    with pytest.raises(UsageError, match="has a space of other already"):
        add_space(album.index, other)
    with pytest.raises(UsageError, match="'other' already, of another model"):
        add_space(album.index, OtherEncoder("third"), name="other")
    with pytest.raises(UsageError, match="is a space of"):
        clipsearch.build(album.folder, album.index / "spaces/other", encoder=other)
    assert read_spaces(album.index).names == ("toy", "other")
    assert [p.name for p in (album.index / "spaces").iterdir()] == ["other"]
    album.assert_sound()


def test_a_model_of_the_index_may_be_named_again(album, other):
    album.paint_many(2)
    both(album, other)
    assert album.build(encoder=other).unchanged == 2
    third = OtherEncoder("third")
    report = album.build(encoder=[other, third])
    assert [(s.name, s.embedded) for s in report.spaces] == [("other", 0), ("third", 2)]
    assert read_spaces(album.index).answering == (("toy", 1.0), ("other", 1.0), ("third", 1.0))
