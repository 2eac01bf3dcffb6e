from __future__ import annotations

import os
from pathlib import Path

import pytest

from clipsearch.errors import SourceError
from clipsearch_indexer.sources.resolve import Source, resolve_sources


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [
        "photos/a.jpg",
        "photos/b.png",
        "photos/notes.txt",
        "photos/2023/c.jpg",
        "photos/2024/d.jpg",
        "data/0.parquet",
        "data/1.parquet",
        "data/more/2.parquet",
        "data/.hidden.parquet",
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_single_things(tree):
    photos, data = tree / "photos", tree / "data"
    assert resolve_sources(["photos", "data/0.parquet", "photos/a.jpg"]) == (
        Source("photos", photos, "folder", (), True),
        Source("data/0.parquet", data, "shards", ("0.parquet",), True),
        Source("photos/a.jpg", photos, "picture", ("a.jpg",), True),
    )
    for given in ("~/photos", "./photos/", "data/../photos", str(photos)):
        assert resolve_sources([given]) == (Source(given, photos, "folder", (), True),)
    assert resolve_sources(["photos", "photos"]) == resolve_sources(["photos"])
    assert resolve_sources([]) == ()


def test_links_of_the_user_are_kept(tree):
    (tree / "link").symlink_to("photos")
    assert resolve_sources(["link"])[0].root == tree / "link"


def test_what_is_missing_is_told(tree):
    assert resolve_sources(["gone", "gone/x.parquet", "gone/x.jpg", "gone/*.parquet"]) == (
        Source("gone", tree / "gone", "folder", (), False),
        Source("gone/x.parquet", tree / "gone", "shards", ("x.parquet",), False),
        Source("gone/x.jpg", tree / "gone", "picture", ("x.jpg",), False),
        Source("gone/*.parquet", tree / "gone", "shards", (), False),
    )


@pytest.mark.parametrize(
    ("given", "root", "kind", "files"),
    [
        ("data/*.parquet", "data", "shards", ("0.parquet", "1.parquet")),
        ("data/[1-9].parquet", "data", "shards", ("1.parquet",)),
        ("data/**/*.parquet", "data", "shards", ("0.parquet", "1.parquet", "more/2.parquet")),
        ("~/d?ta/*/*.parquet", "", "shards", ("data/more/2.parquet",)),
        ("photos/*", "photos", "picture", ("a.jpg", "b.png")),
    ],
)
def test_globs_of_files(tree, given, root, kind, files):
    assert resolve_sources([given]) == (Source(given, tree / root, kind, files, True),)


def test_globs_of_folders_and_of_both_kinds(tree):
    assert [(source.root.name, source.kind) for source in resolve_sources(["photos/20*"])] == [
        ("2023", "folder"),
        ("2024", "folder"),
    ]
    assert [(source.kind, len(source.files)) for source in resolve_sources(["*/*.*"])] == [
        ("picture", 2),
        ("shards", 2),
    ]
    (tree / "photos" / "2023" / "deeper").mkdir()
    assert [source.root.name for source in resolve_sources(["photos/202[3]/", "photos/2023/**/"])] == [
        "2023",
        "deeper",
    ][:1] * 2


def test_globs_end_where_links_loop(tree):
    (tree / "data" / "loop").symlink_to(".")
    (tree / "data" / "again").symlink_to(".")
    assert len(resolve_sources(["data/**/*.parquet"])[0].files) == 3


def test_a_name_with_brackets_is_no_glob(tree):
    (tree / "photos" / "a[1].jpg").touch()
    (tree / "[old]").mkdir()
    assert resolve_sources(["photos/a[1].jpg"])[0].files == ("a[1].jpg",)
    assert resolve_sources(["[old]"])[0].kind == "folder"


def test_names_that_are_not_utf8_are_stored(tree):
    name = os.fsdecode(b"caf\xe9.jpg")
    (tree / "photos" / name).touch()
    assert resolve_sources([f"photos/{name}"])[0].files == ("caf\U0010ffe9.jpg",)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("https://example.org/a.parquet", "download it"),
        ("s3://bucket/photos", "mount it"),
        ("photos/notes.txt", "neither"),
        ("photos/*.gif", "matches no"),
        ("", "empty"),
    ],
)
def test_errors(tree, given, message):
    with pytest.raises(SourceError, match=message):
        resolve_sources([given])
