from __future__ import annotations

import os
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from clipsearch.errors import UsageError
from clipsearch.names import from_stored
from clipsearch_indexer.sources.folder import IGNORE_FILE, Found, Problem, walk


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(root: Path, **options) -> list[str]:
    entries = list(walk(root, **options))
    assert not [entry for entry in entries if isinstance(entry, Problem)]
    return [entry.path for entry in entries]


def problems(root: Path) -> list[tuple[str, str]]:
    return [(entry.path, entry.reason) for entry in walk(root) if isinstance(entry, Problem)]


def test_what_is_found(tmp_path):
    make(tmp_path, "b.JPG", "a.heic", "notes.txt", "sub/deeper/c.webp", "sub/d.parquet", "no_extension", "e.pq")
    (tmp_path / "sub" / "empty.png").touch()
    os.utime(tmp_path / "b.JPG", ns=(5, 1_234_567_890_123_456_789))
    entries = list(walk(tmp_path))
    assert [(entry.path, entry.kind) for entry in entries if isinstance(entry, Found)] == [
        ("a.heic", "picture"),
        ("b.JPG", "picture"),
        ("e.pq", "shard"),
        ("sub/d.parquet", "shard"),
        ("sub/empty.png", "picture"),
        ("sub/deeper/c.webp", "picture"),
    ]
    assert entries[1] == Found("b.JPG", 1, 1_234_567_890_123_456_789, "picture")
    assert entries[4].bytes == 0


def test_order_is_that_of_the_bytes(tmp_path):
    make(tmp_path, "b/1.jpg", "a/1.jpg", "B/1.jpg", "ä/1.jpg", "z.jpg", "Z.jpg")
    assert found(tmp_path) == ["Z.jpg", "z.jpg", "B/1.jpg", "a/1.jpg", "b/1.jpg", "ä/1.jpg"]


def test_what_is_passed_over(tmp_path):
    make(
        tmp_path, "kept.jpg", ".hidden.jpg", ".hidden/a.jpg", "._a.jpg", "Thumbs.db", "@eaDir/a.jpg", "x/__MACOSX/a.jpg"
    )
    make(tmp_path, "$RECYCLE.BIN/a.jpg", "System Volume Information/a.jpg", "lost+found/a.jpg", "#recycle/a.jpg")
    make(tmp_path, "site/node_modules/a.jpg", ".clipsearch/a.jpg", "my.index/CURRENT", "my.index/segments/a.parquet")
    assert found(tmp_path) == ["kept.jpg"]


def test_a_hidden_root_is_the_users_choice(tmp_path):
    make(tmp_path, ".photos/a.jpg")
    assert found(tmp_path / ".photos") == ["a.jpg"]


def test_skip(tmp_path):
    make(tmp_path, "a/1.jpg", "b/2.jpg")
    (tmp_path / "link").symlink_to("b")
    assert found(tmp_path, skip=[tmp_path / "b", tmp_path / "not there"]) == ["a/1.jpg"]


def test_include_and_exclude(tmp_path):
    make(tmp_path, "a.jpg", "b.png", "raw/c.jpg", "raw/keep.jpg", "sub/raw/d.jpg", "sub/e.jpg")
    assert found(tmp_path, include=["*.png"]) == ["b.png"]
    assert found(tmp_path, include=["sub/"]) == ["sub/e.jpg", "sub/raw/d.jpg"]
    assert found(tmp_path, exclude=["raw/"]) == ["a.jpg", "b.png", "sub/e.jpg"]
    assert found(tmp_path, exclude=["/raw"]) == ["a.jpg", "b.png", "sub/e.jpg", "sub/raw/d.jpg"]
    assert found(tmp_path, exclude=["**/raw/*", "!keep.jpg"]) == ["a.jpg", "b.png", "raw/keep.jpg", "sub/e.jpg"]
    assert found(tmp_path, include=["*.jpg"], exclude=["raw", "# a comment", ""]) == ["a.jpg", "sub/e.jpg"]
    (tmp_path / IGNORE_FILE).write_text("sub\n*.png\n")
    assert found(tmp_path, exclude=["raw"]) == ["a.jpg"]


def test_excluded_folders_are_not_entered(tmp_path, monkeypatch):
    make(tmp_path, "a.jpg", "raw/deep/b.jpg")
    entered = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: entered.append(str(path)) or scandir(path))
    assert found(tmp_path, exclude=["raw/"]) == ["a.jpg"]
    assert not [path for path in entered if "raw" in path]


def test_malformed_pattern(tmp_path):
    with pytest.raises(UsageError, match="gitignore"):
        walk(tmp_path, exclude=["!"])


def test_links(tmp_path):
    make(tmp_path, "tree/real/a.jpg", "outside/b.jpg")
    tree = tmp_path / "tree"
    (tree / "a_loop").symlink_to(".")
    (tree / "real" / "up").symlink_to("..")
    (tree / "a_link").symlink_to("real")
    (tree / "beyond").symlink_to("../outside")
    (tree / "file.jpg").symlink_to("real/a.jpg")
    (tree / "nowhere").symlink_to("gone")
    (tree / "late").symlink_to("../outside")
    # Real names win over links, and what lies beyond is found through a link, once.
    assert found(tree) == ["file.jpg", "real/a.jpg", "beyond/b.jpg"]


def test_broken_links_are_problems(tmp_path):
    (tmp_path / "gone.jpg").symlink_to("nothing.jpg")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    assert problems(tmp_path) == [("gone.jpg", "missing"), ("self.jpg", "unreadable")]


def test_missing_root(tmp_path):
    assert problems(tmp_path / "gone") == [(".", "missing")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_folder(tmp_path):
    make(tmp_path, "closed/a.jpg", "open/b.jpg")
    (tmp_path / "closed").chmod(0)
    try:
        assert problems(tmp_path) == [("closed", "unreadable")]
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    make(tmp_path, "closed/a.jpg", "open/b.jpg")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if "closed" in path:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    entries = list(walk(tmp_path))
    assert [entry.path for entry in entries] == ["closed", "open/b.jpg"]
    assert isinstance(entries[0], Problem)
    assert "Permission denied" in entries[0].message


def test_pipes_are_not_files(tmp_path):
    make(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "b.jpg")
    assert found(tmp_path) == ["a.jpg"]


def test_a_folder_called_like_a_picture(tmp_path):
    make(tmp_path, "album.jpg/a.jpg")
    assert found(tmp_path) == ["album.jpg/a.jpg"]


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems refuse such names")
def test_odd_names(tmp_path):
    names = [b"caf\xe9.jpg", b"new\nline.jpg", b"n" * 251 + b".jpg", "山.jpg".encode(), b"\xff\xfe/deep.jpg"]
    for name in names:
        make(tmp_path, os.fsdecode(name))
    paths = found(tmp_path, exclude=["*.png"])
    assert all(path.encode() for path in paths)
    assert {os.fsencode(from_stored(path)) for path in paths} == set(names)


def test_depth_beyond_the_recursion_limit(tmp_path):
    folders = [tmp_path / "/".join("d" * depth) for depth in range(1, 1050)]
    for folder in folders:
        folder.mkdir()
    make(folders[-1], "deep.jpg")
    assert found(tmp_path) == ["d/" * 1049 + "deep.jpg"]
    (folders[-1] / "deep.jpg").unlink()
    for folder in reversed(folders):  # pytest's own tidying is recursive
        folder.rmdir()


def test_many_files_in_little_time_and_memory(tmp_path):
    for number in range(100):
        (tmp_path / f"{number:03}").mkdir()
        for name in range(100):
            os.close(os.open(tmp_path / f"{number:03}" / f"{name:03}.jpg", os.O_CREAT | os.O_WRONLY))
    start = time.process_time()
    assert sum(1 for _ in walk(tmp_path, exclude=["*.png", "raw/"])) == 10_000
    assert time.process_time() - start < 3  # takes 0.1 s where nothing else runs
    here = tracemalloc.Filter(True, walk.__code__.co_filename)  # other threads of the process allocate as well
    tracemalloc.start()
    try:
        held = [
            sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([here]).traces)
            for position, _ in enumerate(walk(tmp_path))
            if position % 1000 == 0
        ]
    finally:
        tracemalloc.stop()
    assert 0 < max(held) < 1_000_000
