"""The catalog: rows, columns and failures as the log tells them."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Thread

import pyarrow as pa
import pytest

from clipsearch.store.schema import own_names
from clipsearch.store.snapshot import Snapshot
from tests.store.conftest import rows_of, unit_vectors

BATCHES = ["one publication", "two publications", "compacted"]


def publish_each(store, *batches: dict[str, list], mode: str = "two publications") -> list[dict]:
    """Write batches of one row with further columns; returns the rows by id as dictionaries."""
    with store.writer() as writer:
        for columns in batches:
            store.add(writer, 1, **columns)
            if mode != "one publication":
                writer.publish()
        writer.publish()
        if mode == "compacted":
            writer.rebuild(merge=True)
    return [row for _, row in sorted(store.published().items())]


def test_rows_come_back_as_they_were_written(store):
    with store.writer() as writer:
        ids = store.add(writer, 3, ["a.jpg", "sub/b.jpg", "ü\n'\".jpg"])
        writer.publish()
    rows = store.published()
    assert [rows[i]["path"] for i in ids] == ["a.jpg", "sub/b.jpg", "ü\n'\".jpg"]
    assert [rows[i]["content_hash"] for i in ids] == [f"{i:032x}" for i in ids]
    assert {rows[i]["segment"] for i in ids} == {"00000001-00000001"}
    assert [rows[i]["segment_offset"] for i in ids] == [0, 1, 2]


@pytest.mark.parametrize("mode", BATCHES)
def test_columns_of_later_segments_are_added(store, mode):
    rows = publish_each(store, {}, {"rating": [5]}, {"label": ["cat"], "rating": [3]}, {}, mode=mode)
    assert [row["rating"] for row in rows] == [None, 5, 3, None]
    assert [row["label"] for row in rows] == [None, None, "cat", None]


def test_the_view_for_people_shows_new_columns(store):
    publish_each(store, {"rating": [5]}, {"label": ["cat"]})
    snapshot = Snapshot(store.path)
    try:
        [first, second] = snapshot.catalog.query("SELECT * FROM images ORDER BY id").to_pylist()
    finally:
        snapshot.close()
    assert (first["rating"], first["label"], second["rating"], second["label"]) == (5, None, None, "cat")
    assert not {"mtime_ns", "segment", "segment_offset", "image_column"} & set(first)
    assert first["mtime"] == datetime(1970, 1, 1)


WIDENED = {
    "int then float": ([1], [1.5], [1.0, 1.5]),
    "float then int": ([1.5], [1], [1.5, 1.0]),
    "int then text": ([1], ["a"], ["1", "a"]),
    "text then int": (["a"], [1], ["a", "1"]),
    "small then large int": (pa.array([1], pa.int8()), [2**40], [1, 2**40]),
    "list then text": ([[1, 2]], ["a"], ["[1, 2]", "a"]),
    "text then list": (["a"], [[1, 2]], ["a", "[1, 2]"]),
    "int then list": ([1], [[1, 2]], ["1", "[1, 2]"]),
    "struct then text": ([{"a": 1}], ["x"], ["{'a': 1}", "x"]),
    "int then time": ([1], [datetime(2020, 1, 1, 2)], ["1", "2020-01-01 02:00:00"]),
    "bytes then text": ([b"\xff\x00q"], ["a"], ["\\xFF\\x00q", "a"]),
    "date then time": ([date(2020, 1, 1)], [datetime(2020, 1, 1, 2)], [datetime(2020, 1, 1), datetime(2020, 1, 1, 2)]),
    "bool then text": ([True], ["x"], ["true", "x"]),
    "int then decimal": ([12345], [Decimal("1.2")], [Decimal("12345.0"), Decimal("1.2")]),
    "struct with a new field": ([{"a": 1}], [{"a": 2, "b": "x"}], [{"a": 1, "b": None}, {"a": 2, "b": "x"}]),
    "unsigned then negative": (pa.array([2**64 - 1], pa.uint64()), [-1], [Decimal(2**64 - 1), Decimal(-1)]),
}


@pytest.mark.parametrize("mode", BATCHES)
def test_types_widen_where_sources_disagree(store, mode):
    first, second = ({name: case[n] for name, case in WIDENED.items()} for n in (0, 1))
    rows = publish_each(store, first, second, mode=mode)
    assert {name: [row[name] for row in rows] for name in WIDENED} == {n: case[2] for n, case in WIDENED.items()}


def test_type_widens_twice(store):
    rows = publish_each(store, {"x": [1]}, {"x": [2.5]}, {"x": ["three"]}, {"x": [4]})
    assert [row["x"] for row in rows] == ["1.0", "2.5", "three", "4"]


@pytest.mark.parametrize("mode", BATCHES)
def test_odd_column_names(store, mode):
    first = {"Label": [1], "Ä": [2], 'a"b': [3], "select": [4], "a b": [5]}
    second = {"label": [6], "ä": [7], "a'b": [8], "from": [9], "a.b": [10]}
    rows = publish_each(store, first, second, mode=mode)
    assert [row["Label"] for row in rows] == [1, 6]  # SQL does not tell them apart
    for one, two in list(zip(first, second, strict=True))[1:]:
        assert [(row[one], row[two]) for row in rows] == [(first[one][0], None), (None, second[two][0])]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["rating", "label"], ["rating", "label"]),
        (["id", "WIDTH", "Path"], ["source_id", "source_WIDTH", "source_Path"]),
        (["segment", "mtime", "segment_offset"], ["source_segment", "source_mtime", "source_segment_offset"]),
        (["id", "source_id"], ["source_id", "source_source_id"]),
        (["a", "A", "a "], ["a", "source_A", "a "]),
        (["a", "A", "source_a"], ["a", "source_A", "source_source_a"]),
        (["", " "], ["column", "source_column"]),
        (["filename", "file_row_number", "caption"], ["filename", "source_file_row_number", "source_caption"]),
    ],
)
def test_own_names(names, expected):
    assert own_names(names) == expected
    assert len({name.lower() for name in own_names(names)}) == len(names)


def test_column_named_like_what_reading_parquet_adds(store):
    rows = publish_each(store, {"filename": ["x.jpg"]}, {"filename": ["y.jpg"]})
    assert [row["filename"] for row in rows] == ["x.jpg", "y.jpg"]
    assert [row["segment"] for row in rows] == ["00000001-00000001", "00000002-00000002"]


def test_newest_row_of_an_id_wins(store):
    with store.writer() as writer:
        store.add(writer, 5)
        writer.publish()
        for path in ("moved.jpg", "again.jpg"):
            vectors = unit_vectors(1, len(path) * 100)
            writer.append(rows_of([3], [path]), vectors)
            store.truth[3] = vectors[0]
        writer.publish()
    rows = store.published()
    assert rows[3]["path"] == "again.jpg"
    assert len(rows) == 5


def test_removed_id_stays_away_even_in_one_publication(store):
    with store.writer() as writer:
        ids = store.add(writer, 4)
        store.remove(writer, ids[:2])
        writer.publish()
        assert set(store.published()) == set(ids[2:])
        store.remove(writer, ids[2:3])
        writer.publish()
    assert set(store.published()) == {ids[3]}


STORIES = {
    "F": True,
    "FR": False,
    "F-": False,
    "FRF": True,
    "F-F": True,
    "FF": True,
    "R": False,
    "-": False,
    "F-FR": False,
}
"""What happened to a picture (failure, row, failure taken back), and whether it is down as a failure in the end."""


@pytest.mark.parametrize("apart", [True, False], ids=["published apart", "published together"])
def test_last_word_on_a_failure(store, apart):
    with store.writer() as writer:
        for step in range(4):
            for story in STORIES:
                act = story[step : step + 1]
                if act == "F":
                    store.fail(writer, story)
                elif act == "R":
                    store.add(writer, 1, [story])
                elif act == "-":
                    store.forget(writer, story)
            if apart:
                writer.publish()
        writer.publish()
        expected = {story: "corrupt" for story, stands in STORIES.items() if stands}
        assert store.failures() == expected
        writer.rebuild(merge=True)
        assert store.failures() == expected


def test_values_of_every_type(store):
    when = datetime(2024, 2, 29, 12, 30, 15, 123456)
    columns = {
        "int": [-5],
        "large": [2**62],
        "float": [0.1],
        "text": ["ünï\n"],
        "list": [[1, None, 3]],
        "struct": [{"x": 1.5, "y": ["a"]}],
        "bool": [False],
        "decimal": [Decimal("123.45")],
        "time": [when],
        "zoned": pa.array([when.replace(tzinfo=UTC)], pa.timestamp("us", "UTC")),
        "date": [date(1999, 12, 31)],
        "blob": [b"\x00\xff"],
        "dictionary": pa.array(["cat"]).dictionary_encode(),
        "nothing": pa.array([None], pa.string()),
    }
    [row] = publish_each(store, columns, mode="compacted")
    assert {name: row[name] for name in columns} == {
        name: values.to_pylist()[0] if isinstance(values, pa.Array) else values[0] for name, values in columns.items()
    }


def test_many_ids_are_found_by_list_and_by_join(store):
    with store.writer() as writer:
        ids = store.add(writer, 1200)
        writer.publish()
    snapshot = Snapshot(store.path)
    try:
        for wanted in (ids[:1], ids[:499], ids[:500], ids, [*ids[::3], 10**9, -1]):
            found = snapshot.catalog.stored(wanted)
            assert set(found) == set(wanted) & set(ids)
            assert all(found[i]["path"] == f"{i}.jpg" for i in found)
        assert snapshot.catalog.stored([]) == {}
    finally:
        snapshot.close()


def test_closing_lets_a_query_in_another_thread_come_to_its_end(store):
    with store.writer() as writer:
        store.add(writer, 1)
        writer.publish()
    snapshot = Snapshot(store.path)
    catalog, found = snapshot.catalog, []
    half_a_second_s_work = "SELECT count(*) FROM range(200_000_000) WHERE range % 7 = 3"
    thread = Thread(target=lambda: found.extend(catalog.fetch(half_a_second_s_work)))
    thread.start()
    time.sleep(0.1)
    snapshot.close()
    assert thread.is_alive()
    thread.join()
    assert found == [(len(range(3, 200_000_000, 7)),)]
