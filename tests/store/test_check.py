"""verify names what is wrong; repair rebuilds what can be rebuilt."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from clipsearch.errors import IndexDamaged, IndexNotFound
from clipsearch.store.check import repair, verify
from clipsearch.store.snapshot import Snapshot
from tests.store.conftest import Store


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    """Three published segments with rows, three with a failure."""
    store = Store(tmp_path_factory.mktemp("pattern") / "photos.index")
    with store.writer() as writer:
        for _ in range(3):
            store.add(writer, 4)
            store.fail(writer, "bad.jpg")
            writer.publish()
    return store


@pytest.fixture
def filled(pattern, store):
    """A copy of it to damage."""
    shutil.copytree(pattern.path, store.path)
    store.truth |= pattern.truth
    return store


def flip(path, place=-1):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_sound_index(filled):
    report = verify(filled.path)
    assert (report.problems, report.rows, report.segments, report.files) == ((), 12, 6, 29)


def segment_files(store):
    return sorted(p for p in store.layout.segments.rglob("*") if p.suffix in (".npy", ".parquet"))


@pytest.mark.parametrize("number", range(8))
def test_every_flipped_byte_of_a_segment_is_named(filled, number):
    path = segment_files(filled)[number]
    flip(path)
    assert [str(path) in problem for problem in verify(filled.path).problems] == [True]


@pytest.mark.parametrize("derived", ["catalog-*.duckdb", "ann-*.faiss"])
@pytest.mark.parametrize("how", ["flip", "delete"])
def test_damaged_derived_file_is_named_and_rebuilt(filled, derived, how):
    [path] = filled.path.glob(derived)
    flip(path) if how == "flip" else path.unlink()
    assert [str(path) in problem for problem in verify(filled.path).problems] == [True]
    report = repair(filled.path)
    assert (report.rows, report.segments, report.set_aside) == (12, 6, ())
    filled.published()
    assert filled.failures() == {"bad.jpg": "corrupt"}
    assert verify(filled.path).problems == ()


def forge(store, change) -> None:
    """Change a vectors file and make its checksum right again, as a bug of ours would."""
    from dataclasses import replace

    from clipsearch.store.layout import checksum
    from clipsearch.store.manifest import write_manifest

    snapshot = Snapshot(store.path)
    manifest = snapshot.manifest
    snapshot.close()
    path = store.layout.segments / manifest.segments[0].name / "vectors.npy"
    np.save(path, change(np.load(path)))
    first = replace(manifest.segments[0], checksums={**manifest.segments[0].checksums, "vectors.npy": checksum(path)})
    write_manifest(store.layout, replace(manifest, segments=(first, *manifest.segments[1:])))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v * np.float16(2), "length one"),
        (lambda v: np.where(v == v[0, 0], np.nan, v).astype(np.float16), "length one"),
        (lambda v: v[:-1], "shape"),
        (lambda v: v[:, :-1], "shape"),
    ],
)
def test_vectors_that_make_no_sense(filled, change, message):
    forge(filled, change)
    assert any(message in problem for problem in verify(filled.path).problems)


def test_counts_that_do_not_agree(filled):
    from dataclasses import replace

    from clipsearch.store.manifest import write_manifest

    snapshot = Snapshot(filled.path)
    write_manifest(filled.layout, replace(snapshot.manifest, rows=13))
    snapshot.close()
    [problem] = verify(filled.path).problems
    assert "12 pictures" in problem
    assert "13" in problem


@pytest.mark.parametrize("lost", ["CURRENT", "versions", "both", "CURRENT is nonsense"])
def test_lost_names_of_the_published_version(filled, lost):
    before = filled.published()
    if lost in ("CURRENT", "both"):
        filled.layout.current.unlink()
    if lost in ("versions", "both"):
        shutil.rmtree(filled.layout.versions)
    if lost == "CURRENT is nonsense":
        filled.layout.current.write_text("photo")
    with pytest.raises(IndexDamaged, match="repair"):
        Snapshot(filled.path)
    with pytest.raises(IndexDamaged, match="repair"):
        verify(filled.path)
    with pytest.raises(IndexDamaged, match="repair"), filled.writer():
        pass
    repair(filled.path)
    assert filled.published() == before
    assert filled.failures() == {"bad.jpg": "corrupt"}
    assert verify(filled.path).problems == ()
    with filled.writer() as writer:
        assert set(writer.roots) == {"photos"}
        filled.add(writer, 1)
        writer.publish()
    filled.published()


@pytest.mark.parametrize("name", ["vectors.npy", "rows.parquet", "segment.json"])
def test_damaged_segment_is_set_aside(filled, name):
    victim = sorted(filled.layout.segments.iterdir())[2]
    flip(victim / name) if name != "segment.json" else (victim / name).unlink()
    report = repair(filled.path)
    assert report.set_aside == (victim.name,)
    assert (filled.path / "broken" / victim.name).is_dir()
    for picture in (5, 6, 7, 8):
        del filled.truth[picture]
    filled.published()
    assert verify(filled.path).problems == ()


def test_repair_of_a_sound_index_changes_nothing(filled):
    before = filled.published()
    first = repair(filled.path)
    second = repair(filled.path)
    assert second.version > first.version
    assert filled.published() == before


def test_repair_finds_what_was_not_published(filled):
    with filled.writer() as writer:
        filled.add(writer, 2)
    assert repair(filled.path).rows == 14
    filled.published()
    with filled.writer() as writer:
        assert not writer.unpublished


def test_repair_does_not_show_one_path_twice(filled):
    """The segment that took the old row away is lost: the newer row of the path is the one to keep."""
    with filled.writer() as writer:
        filled.remove(writer, [1])
        [new] = filled.add(writer, 1, ["1.jpg"])
        writer.publish()
    removal = sorted(filled.layout.segments.iterdir())[-2]
    flip(removal / "removals.parquet")
    assert repair(filled.path).set_aside == (removal.name,)
    rows = filled.published()
    assert [i for i, row in rows.items() if row["path"] == "1.jpg"] == [new]


def test_nothing_to_repair(store, tmp_path):
    with pytest.raises(IndexNotFound):
        repair(tmp_path)
    with pytest.raises(IndexNotFound):
        verify(tmp_path)
    store.layout.segments.mkdir(parents=True)
    with pytest.raises(IndexDamaged, match="anew"):
        repair(store.path)
