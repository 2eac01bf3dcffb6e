"""Metadata by id, from mapped files: always what the catalog says."""

from __future__ import annotations

import numpy as np
import pytest

from clipsearch.errors import IndexDamaged
from clipsearch.store import records
from clipsearch.store.snapshot import Snapshot

from .conftest import rows_of


@pytest.fixture(autouse=True)
def none_is_few(monkeypatch):
    monkeypatch.setattr(records, "_FEW", 0)


def files(store) -> list[str]:
    snapshot = Snapshot(store.path)
    try:
        return [file.name for file in snapshot.manifest.records]
    finally:
        snapshot.close()


def change(store, writer, ids) -> None:
    """Append new rows for ids that exist already, under other paths."""
    vectors = np.stack([store.truth[i] for i in ids])
    writer.append(rows_of(ids, [f"renamed/{i}.jpg" for i in ids]), vectors)


def test_a_version_adds_a_file_with_what_is_new(store):
    with store.writer() as writer:
        ids = store.add(writer, 40)
        writer.publish()
        first = files(store)
        store.add(writer, 3)
        writer.publish()
        second = files(store)
        change(store, writer, ids[:2])
        writer.publish()
    assert len(first) == 1
    assert second[:-1] == first
    assert files(store)[:-1] == second
    assert store.published()[ids[1]]["path"] == f"renamed/{ids[1]}.jpg"


def test_nothing_new_needs_no_file(store):
    with store.writer() as writer:
        ids = store.add(writer, 40)
        writer.publish()
        before = files(store)
        store.remove(writer, ids[:3])
        writer.publish()
    assert files(store) == before
    store.published()


@pytest.mark.parametrize("reason", ["many files", "much is gone", "another column", "half of all"])
def test_everything_is_written_anew(store, monkeypatch, reason):
    monkeypatch.setattr(records, "_MOST_FILES", 3)
    with store.writer() as writer:
        ids = store.add(writer, 40)
        writer.publish()
        if reason == "many files":
            for _ in range(3):
                assert len(files(store)) <= 3
                store.add(writer, 1)
                writer.publish()
        elif reason == "much is gone":
            store.remove(writer, ids[:20])
        elif reason == "another column":
            store.add(writer, 1, colour=["red"])
        else:
            change(store, writer, ids[:20])
        writer.publish()
    assert len(files(store)) == 1
    store.published()


def test_many_batches(store, monkeypatch):
    monkeypatch.setattr(records, "_BATCH", 7)
    with store.writer() as writer:
        ids = store.add(writer, 50)
        store.remove(writer, ids[10:30])  # batches without a row
        writer.publish()
        store.add(writer, 9)
        writer.publish()
    assert len(files(store)) == 2
    store.published()


def test_no_pictures_and_no_ids(store):
    with store.writer() as writer:
        assert Snapshot(store.path).records.of([]).num_rows == 0
        store.add(writer, 2)
        writer.publish()
    found = Snapshot(store.path).records.of([])
    assert found.num_rows == 0
    assert "taken_at" in found.column_names


@pytest.mark.parametrize("spoil", ["missing", "short", "an id that is not there"])
def test_damage_is_one_sentence(store, spoil):
    with store.writer() as writer:
        store.add(writer, 30, ["x" * 500 + f"{i}.jpg" for i in range(30)])
        writer.publish()
    [name] = files(store)
    path = store.path / name
    if spoil == "missing":
        path.unlink()
    elif spoil == "short":
        path.write_bytes(path.read_bytes()[:-2000])
    snapshot = Snapshot(store.path)
    with pytest.raises(IndexDamaged, match="repair"):
        snapshot.records.of([10**6])


def test_rows_are_not_mixed_up_among_versions(store):
    with store.writer() as writer:
        ids = store.add(writer, 30)
        writer.publish()
        old = Snapshot(store.path)
        change(store, writer, ids)
        writer.publish()
    assert old.records.of(ids[:1])["path"].to_pylist() == [f"{ids[0]}.jpg"]
    assert Snapshot(store.path).records.of(ids[:1])["path"].to_pylist() == [f"renamed/{ids[0]}.jpg"]
