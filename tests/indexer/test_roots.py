"""Sources and roots: nested folders, disks that are not mounted, folders that move."""

from __future__ import annotations

import shutil

import pytest

from clipsearch_indexer.roots import assign
from clipsearch_indexer.sources.resolve import resolve_sources


def test_unmounted_root_is_offline_and_keeps_its_pictures(album):
    album.paint_many(5)
    album.build()
    before = album.rows()
    album.folder.rename(album.folder.with_name("away"))
    report = album.build()
    assert (report.offline_roots, report.removed, report.total) == (("photos",), 0, 5)
    assert album.rows() == before
    album.folder.mkdir()  # the empty mount point
    report = album.build()
    assert (report.offline_roots, report.removed, report.total) == (("photos",), 0, 5)
    album.folder.rmdir()
    album.folder.with_name("away").rename(album.folder)
    report = album.build()
    assert (report.offline_roots, report.unchanged) == ((), 5)


def test_one_of_two_roots_offline(album, tmp_path):
    album.paint("a.png")
    other = tmp_path / "other"
    shutil.copytree(album.folder, other)
    album.paint("b.png")
    album.build(album.folder, other)
    shutil.rmtree(other)
    (album.folder / "b.png").unlink()
    report = album.build(album.folder, other)
    assert (report.offline_roots, report.removed, report.total) == (("other",), 1, 2)


def test_roots_of_one_name_are_told_apart(album, tmp_path):
    album.paint("a.png", 1)
    twin = tmp_path / "elsewhere" / "photos"
    twin.mkdir(parents=True)
    shutil.copy(album.paint("b.png", 2), twin / "b.png")
    album.build(album.folder, twin)
    with album.open() as index:
        assert {(r["root"], r["path"]) for r in index.sql("select root, path from images").to_pylist()} == {
            ("photos", "a.png"),
            ("photos", "b.png"),
            ("photos-2", "b.png"),
        }
        assert {hit.path for hit in index.search("red")} == {
            str(album.folder / "a.png"),
            str(album.folder / "b.png"),
            str(twin / "b.png"),
        }


@pytest.mark.parametrize("order", [["photos/2024", "photos"], ["photos", "photos/2024"]])
def test_folder_inside_a_folder(album, tmp_path, order):
    album.paint("2024/a.png")
    album.paint("2023/b.png")
    for source in order:
        report = album.build(tmp_path / source)
    assert report.total == 2
    for sources in (["photos"], ["photos/2024"], ["photos", "photos/2024"], ["photos/2024", "photos"]):
        report = album.build(*(tmp_path / source for source in sources))
        assert (report.embedded, report.removed, report.total) == (0, 0, 2)
    (album.folder / "2024/a.png").unlink()
    album.paint("2024/c.png")
    report = album.build(tmp_path / "photos")
    assert (report.embedded, report.removed, report.total) == (1, 1, 2)
    with album.open() as index:
        assert {hit.path for hit in index.search("red")} == {
            str(album.folder / "2024/c.png"),
            str(album.folder / "2023/b.png"),
        }


def test_folder_inside_a_root_concerns_only_itself(album):
    for name in ("a/1.png", "a/2.png", "ab/3.png", "b/4.png"):
        album.paint(name)
    album.build()
    for name in ("a/1.png", "ab/3.png", "b/4.png"):
        (album.folder / name).unlink()
    album.paint("b/5.png")
    report = album.build(album.folder / "a")
    assert (report.removed, report.embedded) == (1, 0)
    assert album.paths() == {"a/2.png", "ab/3.png", "b/4.png"}


def test_folder_inside_a_root_that_was_deleted(album):
    album.paint("a/1.png")
    album.paint("b/2.png")
    album.build()
    shutil.rmtree(album.folder / "a")
    report = album.build(album.folder / "a")
    assert (report.removed, report.offline_roots) == (1, ())
    assert album.paths() == {"b/2.png"}


def test_source_named_twice(album):
    album.paint_many(4)
    report = album.build(album.folder, f"{album.folder}/", album.folder / "p001.png", album.folder / "*.png")
    assert (report.seen, report.embedded, report.total) == (4, 4, 4)


def test_single_pictures(album):
    album.paint_many(4)
    assert album.build(album.folder / "p001.png", album.folder / "p002.png").total == 2
    (album.folder / "p001.png").unlink()
    report = album.build(album.folder / "p001.png")
    assert (report.removed, report.total) == (1, 1)
    report = album.build()
    assert (report.embedded, report.total) == (2, 3)


def test_index_inside_its_root_moves_with_it(make_album, tmp_path):
    album = make_album("home/photos", "home/photos/.clipsearch")
    album.paint_many(5)
    album.build()
    assert album.build().unchanged == 5
    (tmp_path / "home").rename(tmp_path / "moved house")
    moved = make_album("moved house/photos", "moved house/photos/.clipsearch")
    with moved.open() as index:
        for hit in index.search("red", k=5):
            assert hit.path == str(moved.folder / hit.metadata["path"])
            assert index.picture(hit.id) == (moved.folder / hit.metadata["path"]).read_bytes()
    report = moved.build()
    assert (report.embedded, report.unchanged, report.total, report.offline_roots) == (0, 5, 5, ())


def test_index_inside_its_root_reached_through_a_link(make_album, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    album = make_album("link/photos", "link/photos/.clipsearch")
    album.paint_many(3)
    album.build()
    report = album.build()
    assert (report.unchanged, report.total) == (3, 3)


@pytest.mark.parametrize("name", ["a [2024] b", "quote's", 'double"quote', "star*", "sémi;colon", "per%20cent"])
def test_folders_with_odd_names(make_album, name):
    album = make_album(name, f"{name}/.clipsearch")
    album.paint_many(3)
    assert album.build().total == 3
    album.paint("more.png")
    assert album.build().total == 4
    album.assert_sound()
    with album.open() as index:
        assert len(index.search("red")) == 4


def test_files_named_one_by_one_are_looked_at_together(album, png):
    album.paint_many(4)
    album.shard("a.parquet", {"image": [png(10)]})
    album.shard("b.parquet", {"image": [png(11)]})
    files = [str(path) for path in sorted(album.folder.iterdir())]
    targets = assign(resolve_sources(files), {}, album.index, known=frozenset()).targets
    assert {target.kind: target.files for target in targets} == {
        "shards": ("a.parquet", "b.parquet"),
        "picture": ("p000.png", "p001.png", "p002.png", "p003.png"),
    }
    assert len(targets) == 2
    album.build(*files)
    (album.folder / "p001.png").unlink()
    (album.folder / "p002.png").unlink()
    (album.folder / "b.parquet").unlink()
    assert album.build(*(file for file in files if "p002" not in file)).removed == 2
    assert album.paths() == {"p000.png", "p002.png", "p003.png", "a.parquet#0/0"}
