"""Publishing, leases, merging, compaction, and what is left when a writer dies between two steps."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from clipsearch.errors import IndexBusy, IndexDamaged, IndexNotFound, ModelMismatch
from clipsearch.store import check, manifest
from clipsearch.store.manifest import ModelRef
from clipsearch.store.roots import forget, relocate
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing
from tests.store.conftest import assert_sound, files_of, unit_vectors


def test_new_index_is_empty_and_sound(store):
    with store.writer():
        pass
    assert store.published() == {}
    assert_sound(store)


def test_each_publication_is_a_version(store):
    versions = []
    with store.writer() as w:
        for _ in range(4):
            store.add(w, 3)
            versions.append(w.publish().version)
            assert len(store.published()) == 3 * len(versions)
    assert versions == [2, 3, 4, 5]
    assert store.layout.current.read_text() == "000005\n"
    assert_sound(store)


def test_publishing_nothing_makes_no_version(store):
    with store.writer() as w:
        store.add(w, 1)
        version = w.publish().version
    with store.writer() as w:
        assert not w.unpublished
        assert w.publish().version == version


def test_unpublished_batch_is_invisible_then_adopted(store):
    with store.writer() as w:
        store.add(w, 2)
        w.publish()
        before = store.published()
        late = store.add(w, 3)
        snapshot = Snapshot(store.path)
        assert snapshot.manifest.rows == len(before)
        snapshot.close()
    with store.writer() as w:  # the first ended without publishing
        assert w.recovered == 3
        assert w.take_ids(1)[0] > late[-1]
        w.publish()
    assert set(late) <= set(store.published())
    with store.writer() as w:
        assert w.recovered == 0


def test_ids_are_never_used_again(store):
    with store.writer() as w:
        first = store.add(w, 3)
        store.remove(w, first)
        w.publish()
    with store.writer() as w:
        assert min(store.add(w, 2)) > max(first)
        w.publish()
        w.rebuild(merge=True)
    with store.writer() as w:
        assert min(w.take_ids(1)) > max(first) + 2
    check.repair(store.path)
    with store.writer() as w:
        assert min(w.take_ids(1)) > max(first) + 2


def test_unused_versions_and_segments_are_collected(store):
    with store.writer() as w:
        for _ in range(5):
            store.add(w, 2)
            w.publish()
    derived = {"catalog-000006.duckdb", "ann-000006.faiss", "places-000006.npy"}
    derived |= {"records-000006.arrow", "background-000006.npz"}
    assert files_of(store) == derived | {f"{n:08d}-{n:08d}" for n in range(1, 6)}
    assert [p.name for p in store.layout.versions.iterdir()] == ["000006.json"]


def test_reader_keeps_its_version_until_it_lets_go(store):
    with store.writer() as w:
        ids = store.add(w, 40)
        w.publish()
        reader = Snapshot(store.path)  # has opened nothing but the manifest yet
        truth = dict(store.truth)
        for _ in range(20):
            store.add(w, 2)
        w.publish()
        store.remove(w, ids[:20])
        w.publish()
        w.rebuild(merge=True)
        assert not reader.is_current()
        assert {"catalog-000002.duckdb", "ann-000002.faiss", "00000001-00000001"} <= files_of(store)
        rows = reader.catalog.stored(ids)
        assert len(rows) == reader.manifest.rows == len(reader.searcher.exact) == 40
        vectors = reader.vectors_of(ids)
        assert all(v.tobytes() == truth[i].tobytes() for i, v in zip(ids, vectors, strict=True))
        query = unit_vectors(1, 3).astype(np.float32)
        assert set(reader.nearest(query, 100).ids[0].tolist()) == set(ids)
        reader.close()
        store.add(w, 1)
        w.publish()
    assert not {"catalog-000002.duckdb", "ann-000002.faiss", "00000001-00000001"} & files_of(store)
    assert_sound(store)


def test_second_writer_is_told_who_holds_the_index(store, subprocess_env):
    hold = (
        "import sys\nfrom pathlib import Path\nfrom clipsearch.store.writer import open_for_writing\n"
        "from clipsearch.store.manifest import ModelRef\n"
        f"with open_for_writing(Path({str(store.path)!r}), ModelRef('toy', 'toy-1', 8)):\n"
        "    print('holding', flush=True)\n    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", hold], env=subprocess_env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "holding\n"
        with pytest.raises(IndexBusy, match=f"process {process.pid} on"), store.writer():
            pass
        with pytest.raises(IndexBusy, match=f"process {process.pid} on"):
            check.repair(store.path)
        assert store.published() == {}  # reading is not writing
        process.kill()
        process.wait()
        with store.writer() as w:  # the lock died with it
            store.add(w, 1)
            w.publish()
    finally:
        process.kill()
        process.communicate()
    assert len(store.published()) == 1


def test_second_writer_in_the_same_process(store):
    with store.writer(), pytest.raises(IndexBusy), store.writer():
        pass


def test_other_model_is_refused(store):
    with store.writer():
        pass
    with pytest.raises(ModelMismatch, match="toy"), open_for_writing(store.path, ModelRef("other", "other-1", 8)):
        pass


def test_no_index_and_no_model(store):
    with pytest.raises(IndexNotFound), open_for_writing(store.path):
        pass
    assert not store.path.exists()


def test_newer_schema_is_refused_and_left_alone(store):
    with store.writer() as w:
        store.add(w, 2)
        w.publish()
    path = store.layout.manifest(2)
    data = json.loads(path.read_text()) | {"schema_version": manifest.SCHEMA_VERSION + 1, "surprise": 1}
    path.write_text(json.dumps(data))
    before = files_of(store)
    for call in (Snapshot, check.verify, check.repair, lambda p: open_for_writing(p).__enter__()):
        with pytest.raises(IndexDamaged, match="newer clipsearch"):
            call(store.path)
    assert json.loads(path.read_text()) == data
    assert files_of(store) == before


# Merging


def test_many_small_batches_become_few_segments(store):
    counts = []
    with store.writer() as w:
        for number in range(16):
            for _ in range(8):
                ids = store.add(w, 3)
            if number % 3 == 0:
                store.remove(w, ids[:1])
            w.publish()
            counts.append(len(w.manifest.segments))
            if number == 8:
                store.published()
    store.published()
    assert_sound(store)
    assert max(counts) < 40
    assert len(list(store.layout.segments.iterdir())) == counts[-1]


def test_merging_changes_nothing_but_where_rows_lie(store):
    with store.writer() as w:
        for number in range(12):
            store.add(w, 4, rating=[number] * 4) if number % 2 else store.add(w, 4, label=["x"] * 4)
            w.publish()
        store.remove(w, [2, 3, 20])
        store.fail(w, "bad.jpg")
        w.publish()
        before, failures = store.published(), store.failures()
        w.rebuild(merge=True)
        assert len(w.manifest.segments) == 1
    after = store.published()

    def what(rows):
        return {i: {k: v for k, v in r.items() if not k.startswith("segment")} for i, r in rows.items()}

    assert what(after) == what(before)
    assert store.failures() == failures == {"bad.jpg": "corrupt"}
    vectors = np.load(store.layout.segments / "00000001-00000014" / "vectors.npy")
    assert len(vectors) == len(after)  # dead rows are gone from the disk
    assert_sound(store)


def test_compacting_twice_changes_nothing(store):
    with store.writer() as w:
        for _ in range(3):
            store.add(w, 4)
            w.publish()
        w.rebuild(merge=True)
        first = store.published()
        w.rebuild(merge=True)
        assert store.published() == first
        w.rebuild(merge=False)
        assert store.published() == first


def test_compacting_an_empty_index(store):
    with store.writer() as w:
        w.rebuild(merge=True)
        ids = store.add(w, 3)
        store.remove(w, ids)
        w.publish()
        w.rebuild(merge=True)
    assert store.published() == {}
    assert_sound(store)


# Roots


def test_relocate_and_forget(store, tmp_path):
    new = tmp_path / "new place"
    new.mkdir()
    with store.writer() as w:
        store.add(w, 3)
        store.fail(w, "bad.jpg")
        w.publish()
    relocate(store.path, "photos", new)
    snapshot = Snapshot(store.path)
    assert snapshot.roots() == {"photos": new}
    assert snapshot.offline_roots() == ()
    snapshot.close()
    store.published()
    assert forget(store.path, "photos") == 3
    store.truth.clear()
    assert store.published() == {}
    assert store.failures() == {}
    assert_sound(store)
