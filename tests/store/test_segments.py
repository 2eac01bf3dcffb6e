"""Segments: whole or absent, checked, and readable by NumPy and Arrow."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from clipsearch.errors import IndexDamaged
from clipsearch.store.manifest import Root
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.segments import (
    SegmentDraft,
    complete_segments,
    damage,
    failures_of,
    outermost,
    read_record,
    removals_of,
)
from clipsearch.store.vectors import load_vectors
from tests.store.conftest import DIM, MODEL, rows_of, unit_vectors


def write(layout, first, last, ids, seed=0):
    """A segment of the given rows, appended in two chunks."""
    vectors = unit_vectors(len(ids), seed)
    draft = SegmentDraft(layout, first, last, DIM)
    half = len(ids) // 2
    draft.append(rows_of(ids[:half]), vectors[:half])
    draft.append(rows_of(ids[half:]), vectors[half:])
    return commit(draft), vectors


def commit(draft):
    return draft.commit(
        removals_of([7], [("photos", "x")]),
        failures_of([{"root": "photos", "path": "y", "reason": "empty"}]),
        model=MODEL,
        roots=[Root("photos", "/photos")],
        next_id=100,
        empty_schema=ROW_SCHEMA,
    )


@pytest.mark.parametrize("count", [0, 1, 2, 9, 1000])
def test_round_trip(store, count):
    segment, vectors = write(store.layout, 3, 5, range(1, count + 1))
    folder = store.layout.segments / "00000003-00000005"
    assert (segment.rows, segment.removals, segment.failures, segment.name) == (count, 2, 1, folder.name)
    np.testing.assert_array_equal(np.load(folder / "vectors.npy"), vectors)
    np.testing.assert_array_equal(load_vectors(store.layout, segment.name), vectors)
    assert load_vectors(store.layout, segment.name).dtype == np.float16
    assert pq.read_table(folder / "rows.parquet").equals(rows_of(range(1, count + 1)))
    assert pq.read_table(folder / "removals.parquet")["id"].to_pylist() == [7, None]
    assert pq.read_table(folder / "failures.parquet")["path"].to_pylist() == ["y"]
    record = read_record(folder)
    assert (record.segment, record.model, record.roots, record.next_id) == (
        segment,
        MODEL,
        (Root("photos", "/photos"),),
        100,
    )
    assert damage(store.layout, segment) == []


def test_unfinished_segment_is_not_there(store):
    draft = SegmentDraft(store.layout, 1, 1, DIM)
    draft.append(rows_of([1]), unit_vectors(1, 0))
    assert complete_segments(store.layout) == []
    assert not store.layout.segments.exists()
    draft.discard()
    assert list(store.layout.tmp.iterdir()) == []


def test_rows_and_vectors_have_to_match(store):
    draft = SegmentDraft(store.layout, 1, 1, DIM)
    with pytest.raises(ValueError, match="2 rows but 3 vectors"):
        draft.append(rows_of([1, 2]), unit_vectors(3, 0))


@pytest.mark.parametrize("name", ["vectors.npy", "rows.parquet", "removals.parquet", "failures.parquet"])
@pytest.mark.parametrize("how", ["flip", "cut", "delete"])
def test_damage_names_the_file(store, name, how):
    segment, _ = write(store.layout, 1, 1, range(1, 5))
    path = store.layout.segments / segment.name / name
    data = path.read_bytes()
    if how == "delete":
        path.unlink()
    else:
        middle = len(data) // 2
        path.write_bytes(data[:-1] if how == "cut" else data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    [problem] = damage(store.layout, segment)
    assert str(path) in problem


def test_segment_takes_the_place_of_one_that_was_never_published(store):
    write(store.layout, 1, 2, range(1, 9), seed=1)
    segment, vectors = write(store.layout, 1, 2, range(1, 5), seed=2)
    np.testing.assert_array_equal(load_vectors(store.layout, segment.name), vectors)
    assert [record.segment for record in complete_segments(store.layout)] == [segment]


def test_record_that_cannot_be_read(store):
    segment, _ = write(store.layout, 1, 1, range(1, 5))
    record = store.layout.segments / segment.name / "segment.json"
    record.write_text(json.dumps({"segment": 1}))
    with pytest.raises(IndexDamaged, match="repair"):
        complete_segments(store.layout)


def test_outermost_leaves_out_what_a_merged_segment_holds(store):
    for first, last in [(1, 1), (2, 2), (3, 3), (1, 3), (4, 4), (5, 6), (6, 6), (5, 5)]:
        write(store.layout, first, last, range(1, 3))
    kept = outermost(complete_segments(store.layout))
    assert [record.segment.name for record in kept] == ["00000001-00000003", "00000004-00000004", "00000005-00000006"]


@pytest.mark.parametrize("content", [b"", b"nonsense" * 40])
def test_vectors_that_are_no_array(store, content):
    segment, _ = write(store.layout, 1, 1, range(1, 5))
    (store.layout.segments / segment.name / "vectors.npy").write_bytes(content)
    with pytest.raises(IndexDamaged, match="repair"):
        load_vectors(store.layout, segment.name)
