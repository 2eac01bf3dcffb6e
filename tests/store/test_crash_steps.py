"""A writer that dies: at each step of publishing, and with a merged segment beside what it was made of."""

from __future__ import annotations

import pytest

from clipsearch.store import check, derive, garbage, manifest, vector_index, writer
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import IndexWriter
from tests.store.conftest import assert_sound, files_of, rows_of, unit_vectors


class Crash(BaseException):
    """The power goes."""


STEPS = {
    "merged segment": (writer, "merge_segments"),
    "catalog": (derive, "build_catalog"),
    "places": (derive, "write_places"),
    "vectors": (vector_index, "write_exact"),
    "manifest": (writer, "write_manifest"),
    "collection": (writer, "collect_garbage"),
    "one segment removed": (garbage, "remove_segment"),
    "one version collected": (garbage, "collect"),
    "any file put in place": (manifest, "replacing"),
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("module", "name"), STEPS.values(), ids=STEPS)
def test_crash_at_a_step_of_publishing(store, monkeypatch, module, name, when):
    with store.writer() as w:
        for _ in range(16):
            store.add(w, 2)
        w.publish()
        published = set(store.published())
    original = getattr(module, name)

    def crash(*args, **kwargs):
        if when == "after":
            original(*args, **kwargs)
        raise Crash

    with store.writer() as w:
        store.add(w, 3)
        store.remove(w, [1])
        monkeypatch.setattr(module, name, crash)
        with pytest.raises(Crash):
            w.publish()
        monkeypatch.setattr(module, name, original)
    snapshot = Snapshot(store.path)
    assert snapshot.manifest.rows in (len(published), len(store.truth))
    snapshot.close()
    with store.writer() as w:
        w.publish()
        store.add(w, 1)
        w.publish()
    store.published()
    assert_sound(store)
    published = {*(file.name for file in w.manifest.derived), *(segment.name for segment in w.manifest.segments)}
    assert files_of(store) == published


def test_merged_segment_that_was_never_published_is_not_counted_twice(store, monkeypatch):
    with store.writer() as w:
        for _ in range(16):
            store.add(w, 2)
        w.publish()
        store.add(w, 1)
        monkeypatch.setattr(IndexWriter, "_write_version", lambda *_, **__: (_ for _ in ()).throw(Crash))
        with pytest.raises(Crash):
            w.publish()
        monkeypatch.undo()
    assert (store.layout.segments / "00000001-00000016").is_dir()
    with store.writer() as w:
        assert w.recovered == 1
        w.publish()
    store.published()
    assert_sound(store)
    check.repair(store.path)
    store.published()


def test_repair_with_a_merged_segment_beside_what_it_was_made_of(store):
    with store.writer() as w:
        for _ in range(16):
            store.add(w, 2)
        w.publish()
        reader = Snapshot(store.path)  # keeps the small ones on the disk
        store.add(w, 1)
        w.publish()
        assert len(list(store.layout.segments.iterdir())) == 18
    store.layout.current.unlink()
    check.repair(store.path)
    reader.close()
    store.published()
    assert_sound(store)


def test_index_that_died_at_birth(store):
    store.layout.segments.mkdir(parents=True)
    store.layout.versions.mkdir()
    store.layout.catalog(1).write_bytes(b"half")
    with store.writer() as w:
        store.add(w, 2)
        w.publish()
    store.published()
    assert_sound(store)


def test_a_failed_append_leaves_no_trace(store, monkeypatch):
    with store.writer() as w:
        store.add(w, 2)
        w.publish()
        with pytest.raises(ValueError, match="vectors"):
            w.append(rows_of([50]), unit_vectors(2, 0))
        assert not w.unpublished
        store.add(w, 1)
        w.publish()
    store.published()
    assert_sound(store)
