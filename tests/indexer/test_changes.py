"""What a second run makes of pictures that were added, edited, moved, copied, removed or broken."""

from __future__ import annotations

import os
import shutil

import pytest

from clipsearch.errors import SourceError, UsageError


@pytest.fixture
def indexed(album):
    album.paint_many(10)
    report = album.build()
    assert (report.seen, report.embedded, report.total) == (10, 10, 10)
    album.encoder.embedded = 0
    return album


def test_run_without_a_change_embeds_and_publishes_nothing(indexed):
    before = indexed.rows()
    version = indexed.build().version
    report = indexed.build()
    assert (report.embedded, report.reused, report.unchanged, report.removed) == (0, 0, 10, 0)
    assert report.version == version
    assert indexed.rows() == before
    assert indexed.encoder.embedded == 0


def test_new_picture(indexed):
    before = indexed.rows()
    indexed.paint("new.png")
    report = indexed.build()
    assert (report.embedded, report.unchanged, report.total) == (1, 10, 11)
    after = indexed.rows()
    new = after.pop("new.png")
    assert after == before
    assert new["id"] > max(row["id"] for row in before.values())


def test_edited_picture_gets_a_new_id_and_vector(indexed):
    rows, vectors = indexed.rows(), indexed.vectors()
    indexed.paint("p003.png", 1000)
    report = indexed.build()
    assert (report.embedded, report.unchanged, report.total) == (1, 9, 10)
    after, vectors_after = indexed.rows(), indexed.vectors()
    assert after["p003.png"]["id"] not in {row["id"] for row in rows.values()}
    assert vectors_after["p003.png"] != vectors["p003.png"]
    del rows["p003.png"], after["p003.png"], vectors["p003.png"], vectors_after["p003.png"]
    assert (after, vectors_after) == (rows, vectors)
    with indexed.open() as index:
        assert len(index.search("red", k=100)) == 10


def test_removed_picture_leaves_the_results(indexed):
    gone = indexed.rows()["p003.png"]["id"]
    (indexed.folder / "p003.png").unlink()
    report = indexed.build()
    assert (report.removed, report.embedded, report.total) == (1, 0, 9)
    with indexed.open() as index:
        assert gone not in {hit.id for hit in index.search("red", k=100)}
    indexed.assert_sound()


def test_keep_missing_holds_what_is_gone(indexed):
    before = indexed.rows()
    (indexed.folder / "p003.png").unlink()
    report = indexed.build(keep_missing=True)
    assert (report.removed, report.total) == (0, 10)
    assert indexed.rows() == before
    assert indexed.build().total == 9


@pytest.mark.parametrize("name", ["moved.png", "deep/down/p003.png"])
def test_rename_keeps_id_and_vector_and_embeds_nothing(indexed, name):
    rows, vectors = indexed.rows(), indexed.vectors()
    target = indexed.folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    (indexed.folder / "p003.png").rename(target)
    report = indexed.build()
    assert (report.embedded, report.reused, report.removed, report.total) == (0, 1, 0, 10)
    assert indexed.rows()[name]["id"] == rows["p003.png"]["id"]
    assert indexed.vectors()[name] == vectors["p003.png"]
    assert "p003.png" not in indexed.rows()
    assert indexed.encoder.embedded == 0


def test_renamed_folder_keeps_every_id(album):
    for number in range(20):
        album.paint(f"old/p{number:02d}.png", number)
    album.build(batch_size=8)
    before = {row["content_hash"]: row["id"] for row in album.rows().values()}
    (album.folder / "old").rename(album.folder / "new")
    report = album.build(batch_size=8)
    assert (report.embedded, report.reused, report.removed, report.total) == (0, 20, 0, 20)
    assert {row["content_hash"]: row["id"] for row in album.rows().values()} == before
    assert all(path.startswith("new/") for path in album.paths())


def test_two_pictures_that_swap_names(indexed):
    vectors = indexed.vectors()
    one, two = indexed.folder / "p001.png", indexed.folder / "p002.png"
    first, second = one.read_bytes(), two.read_bytes()
    indexed.put("p001.png", second)
    indexed.put("p002.png", first)
    report = indexed.build()
    assert (report.embedded, report.reused, report.total) == (0, 2, 10)
    after = indexed.vectors()
    assert (after["p001.png"], after["p002.png"]) == (vectors["p002.png"], vectors["p001.png"])
    indexed.assert_sound()


def test_picture_moved_over_another(indexed):
    rows = indexed.rows()
    (indexed.folder / "p001.png").replace(indexed.folder / "p002.png")
    indexed.tick(indexed.folder / "p002.png")
    report = indexed.build()
    assert (report.embedded, report.total) == (0, 9)
    assert indexed.rows()["p002.png"]["id"] == rows["p001.png"]["id"]
    indexed.assert_sound()


def test_copy_is_a_row_of_its_own_with_the_same_vector(indexed):
    shutil.copy(indexed.folder / "p003.png", indexed.folder / "copy.png")
    report = indexed.build()
    assert (report.embedded, report.reused, report.total) == (0, 1, 11)
    rows, vectors = indexed.rows(), indexed.vectors()
    assert rows["copy.png"]["id"] != rows["p003.png"]["id"]
    assert vectors["copy.png"] == vectors["p003.png"]
    with indexed.open() as index:
        best = index.search(like=rows["copy.png"]["id"], k=1)[0]
        assert best.id == rows["p003.png"]["id"]


def test_same_content_many_times_is_embedded_once(album):
    for number in range(30):
        album.paint(f"p{number:02d}.png", number % 3)
    report = album.build(batch_size=7)
    assert (report.embedded, report.reused, report.total) == (3, 27, 30)
    assert album.encoder.embedded == 3


def test_touched_file_keeps_its_id(indexed):
    before = indexed.rows()
    indexed.tick(indexed.folder / "p003.png")
    report = indexed.build()
    assert (report.embedded, report.reused, report.unchanged) == (0, 1, 9)
    after = indexed.rows()
    assert after["p003.png"]["id"] == before["p003.png"]["id"]
    assert after["p003.png"]["mtime_ns"] > before["p003.png"]["mtime_ns"]
    assert indexed.build().unchanged == 10
    indexed.assert_sound()


def test_bad_file_is_recorded_and_not_tried_again_until_it_changes(indexed):
    indexed.put("bad.png", b"no picture at all")
    assert indexed.build().failed == 1
    assert indexed.failures() == {"bad.png": "not a picture"}
    report = indexed.build()
    assert (report.failed, report.unchanged) == (0, 11)
    assert indexed.build(retry_failures=True).failed == 1
    indexed.paint("bad.png", 77)
    report = indexed.build()
    assert (report.embedded, report.failed, report.total) == (1, 0, 11)
    assert indexed.failures() == {}


def test_bad_file_that_goes_is_forgotten(indexed):
    bad = indexed.put("bad.png", b"no picture at all")
    indexed.build()
    bad.unlink()
    indexed.build()
    assert indexed.failures() == {}


def test_good_file_that_breaks_leaves_the_results(indexed):
    whole = (indexed.folder / "p003.png").read_bytes()
    indexed.put("p003.png", b"")
    report = indexed.build()
    assert (report.failed, report.total) == (1, 9)
    assert indexed.failures() == {"p003.png": "empty"}
    assert "p003.png" not in indexed.paths()
    indexed.put("p003.png", whole)
    assert indexed.build().total == 10
    assert indexed.failures() == {}
    indexed.assert_sound()


def test_batch_of_nothing_but_bad_files(album):
    for number in range(5):
        album.put(f"bad{number}.png", b"x")
    report = album.build(batch_size=2)
    assert (report.failed, report.total, report.embedded) == (5, 0, 0)
    album.assert_sound()
    with album.open() as index:
        assert index.search("red") == []


def test_include_leaves_other_pictures_alone(indexed):
    indexed.paint("q1.png")
    indexed.paint("r1.png")
    (indexed.folder / "p000.png").unlink()
    report = indexed.build(include=["q*.png"])
    assert (report.embedded, report.removed) == (1, 0)
    assert indexed.paths() == {f"p{n:03d}.png" for n in range(10)} | {"q1.png"}
    (indexed.folder / "q1.png").unlink()
    assert indexed.build(include=["q*.png"]).removed == 1
    assert indexed.paths() == {f"p{n:03d}.png" for n in range(10)}


def test_exclude_takes_pictures_out(indexed):
    indexed.paint("drafts/a.png")
    indexed.build()
    report = indexed.build(exclude=["drafts/", "p00[0-4].png"])
    assert report.removed == 6
    assert indexed.paths() == {f"p{n:03d}.png" for n in range(5, 10)}
    assert indexed.build().total == 11


def test_missing_source_leaves_nothing_behind(album):
    with pytest.raises(SourceError, match="nowhere"):
        album.build(album.folder / "nowhere")
    assert not album.index.exists()


def test_missing_source_does_not_spoil_an_index(indexed):
    before = indexed.rows()
    with pytest.raises(SourceError):
        indexed.build(indexed.folder.parent / "nowhere")
    assert indexed.rows() == before


@pytest.mark.parametrize("options", [{"workers": 0}, {"batch_size": 0}])
def test_impossible_settings(album, options):
    with pytest.raises(UsageError):
        album.build(**options)


def test_no_source(album):
    import clipsearch

    with pytest.raises(UsageError):
        clipsearch.build([], album.index, encoder=album.encoder)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_unreadable_folder_keeps_its_pictures(album):
    album.paint("secret/a.png")
    album.paint("b.png")
    album.build()
    (album.folder / "secret").chmod(0)
    try:
        report = album.build()
        assert (report.removed, report.total) == (0, 2)
        assert album.failures() == {"secret": "unreadable"}
    finally:
        (album.folder / "secret").chmod(0o755)
    album.build()
    assert album.failures() == {}
    assert album.paths() == {"secret/a.png", "b.png"}


def test_names_that_are_hard_to_store(album):
    names = ["new\nline.png", "quo'te\".png", "ünï.png", "per%cent.png", "a#0/1.png"]
    for number, name in enumerate(names):
        album.paint(name, number)
    odd = os.fsencode(album.folder) + b"/caf\xe9.png"
    with open(odd, "wb") as file:
        file.write(album.paint("tmp.png", 99).read_bytes())
    (album.folder / "tmp.png").unlink()
    report = album.build()
    assert (report.total, report.failed) == (6, 0)
    report = album.build()
    assert (report.unchanged, report.removed) == (6, 0)
    with album.open() as index:
        hits = index.search("red", k=10)
        assert {os.fsencode(hit.path) for hit in hits} == {odd, *(os.fsencode(album.folder / n) for n in names)}
        for hit in hits:
            with open(hit.path, "rb") as file:
                assert file.read() == index.picture(hit.id)


def test_very_long_names(album):
    album.paint("x" * 240 + ".png")
    album.paint("/".join(["d" * 100] * 12) + "/deep.png")
    assert album.build().total == 2
    assert album.build().unchanged == 2
