"""Thumbnails kept beside the index: within a limit, through damage, by several threads and processes."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clipsearch.store import picture_store
from clipsearch.store.picture_store import PictureStore


def test_what_is_kept_is_found_by_the_next_to_open_it(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "t.sqlite", 1 << 20)
    assert store.get("a") is None
    store.put("a", b"one")
    store.put("a", b"two")
    assert store.get("a") == b"two"
    other = PictureStore(tmp_path / "t.sqlite", 1 << 20)
    assert other.get("a") == b"two"
    store.close()
    other.close()


def test_the_least_lately_used_go_when_it_grows_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PictureStore(tmp_path / "t.sqlite", 1000)
    day = 86_400
    now = [10 * day]
    monkeypatch.setattr(picture_store.time, "time", lambda: now[0])
    for number in range(10):
        store.put(f"old {number}", bytes(100))
    now[0] += day
    assert store.get("old 0") is not None  # used today
    store.put("new", bytes(100))
    kept = [name for name in [f"old {n}" for n in range(10)] + ["new"] if store.get(name) is not None]
    assert kept == ["old 0", *[f"old {n}" for n in range(3, 10)], "new"]
    store.close()
    again = PictureStore(tmp_path / "t.sqlite", 1000)
    for number in range(100):
        again.put(f"more {number}", bytes(100))
    with sqlite3.connect(tmp_path / "t.sqlite") as db:
        [(held,)] = db.execute("SELECT sum(length(data)) FROM pictures")
    assert 0 < held <= 1000
    again.close()


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "t.sqlite").write_bytes(b"no database " * 1000)
    store = PictureStore(tmp_path / "t.sqlite", 1 << 20)
    store.put("a", b"one")
    store.close()
    again = PictureStore(tmp_path / "t.sqlite", 1 << 20)
    assert again.get("a") == b"one"
    again.close()


def test_where_nothing_can_be_written_they_are_kept_in_memory(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "nowhere" / "t.sqlite", 1 << 20)
    store.put("a", b"one")
    assert store.get("a") == b"one"
    store.close()


def test_many_threads_and_two_stores_of_one_file(tmp_path: Path) -> None:
    stores = [PictureStore(tmp_path / "t.sqlite", 1 << 20), PictureStore(tmp_path / "t.sqlite", 1 << 20)]

    def work(number: int) -> bool:
        store, name = stores[number % 2], str(number % 20)
        store.put(name, name.encode())
        return store.get(name) == name.encode()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(400)))
    for store in stores:
        store.close()
