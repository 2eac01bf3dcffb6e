"""The folder filter: folders of a root, of the machine, and what only looks like one."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pytest

from clipsearch.errors import QueryError
from clipsearch.query.filters import Filter, survivors
from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing
from tests.query.filtered_rows import COUNT, assert_passes, inside, place


@pytest.mark.parametrize(
    ("folder", "predicate"),
    [
        ("2024", inside("2024")),
        ("2024/", inside("2024")),
        ("2024//summer/../summer", inside("2024/summer")),
        ("2024/summer/beach", inside("2024/summer/beach")),
        ("2024-trip", inside("2024-trip")),
        ("100%", inside("100%")),
        ("a_b", inside("a_b")),
        ("it's", inside("it's")),
        ("elsewhere", inside("elsewhere")),
        ("Trips", lambda r: r["root"] == "Trips"),
        ("Trips/2024", lambda r: r["root"] == "Trips" and inside("2024")(r)),
        # A root and a folder of one name: both.
        ("Photos", lambda r: r["root"] == "Photos" or inside("Photos")(r)),
        ("Photos/2024", lambda r: (r["root"] == "Photos" and inside("2024")(r)) or inside("Photos/2024")(r)),
        ("2024/summer/s.parquet", lambda r: r["shard"] == "2024/summer/s.parquet"),
    ],
)
def test_folder(snapshot, folder, predicate):
    assert_passes(snapshot, Filter(folder=folder), predicate)


@pytest.mark.parametrize(
    "folder", ["202", "2024/sum", "summer", "100", "2024/summer/beach/x", "Trip", "'", "~nobody/x"]
)
def test_what_only_begins_like_a_folder_is_none(snapshot, folder):
    assert survivors(snapshot, Filter(folder=folder)).tolist() == []


def test_folders_of_the_machine(snapshot, monkeypatch):
    trips = snapshot.roots()["Trips"]
    of_trips = lambda r: r["root"] == "Trips"  # noqa: E731
    assert_passes(snapshot, Filter(folder=str(trips)), of_trips)
    assert_passes(snapshot, Filter(folder=trips), of_trips)
    assert_passes(snapshot, Filter(folder=f"{trips}/2024/"), lambda r: of_trips(r) and inside("2024")(r))
    assert len(survivors(snapshot, Filter(folder=str(trips.parent)))) == COUNT
    monkeypatch.chdir(trips)
    assert_passes(snapshot, Filter(folder="."), of_trips)
    assert_passes(snapshot, Filter(folder="./2024"), lambda r: of_trips(r) and inside("2024")(r))
    assert_passes(snapshot, Filter(folder="../Photos"), lambda r: r["root"] == "Photos")
    monkeypatch.setenv("HOME", str(trips))
    assert_passes(snapshot, Filter(folder="~/2024"), lambda r: of_trips(r) and inside("2024")(r))


def test_a_folder_by_another_name(snapshot, tmp_path):
    (tmp_path / "link").symlink_to(snapshot.roots()["Trips"])
    assert_passes(
        snapshot, Filter(folder=str(tmp_path / "link/2024")), lambda r: r["root"] == "Trips" and inside("2024")(r)
    )


def test_a_folder_outside_the_index_is_refused(snapshot, tmp_path):
    with pytest.raises(QueryError, match=r"outside what this index holds; choose a folder in \S*Photos, \S*Trips\.$"):
        survivors(snapshot, Filter(folder=str(tmp_path)))


def test_a_folder_that_may_be_either_of_two_holds_together_with_the_rest(snapshot):
    assert_passes(
        snapshot,
        Filter(camera="canon", folder="Photos"),
        lambda r: "canon" in (r["camera"] or "").lower() and (r["root"] == "Photos" or place(r).startswith("Photos/")),
    )


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_folder_whose_name_is_not_utf8(tmp_path):
    from clipsearch.names import to_stored

    odd = os.fsdecode(b"caf\xe9")
    row = {"id": 1, "root": "p", "path": to_stored(f"{odd}/a.jpg"), "file": to_stored(f"{odd}/a.jpg")}
    with open_for_writing(tmp_path / "x.index", ModelRef("toy", "toy-1", 4)) as writer:
        writer.take_ids(1)
        writer.roots["p"] = Root("p", str(tmp_path))
        writer.append(pa.Table.from_pylist([row], schema=ROW_SCHEMA), np.float16([[1, 0, 0, 0]]))
        writer.publish()
    snapshot = Snapshot(tmp_path / "x.index")
    try:
        assert survivors(snapshot, Filter(folder=odd)).tolist() == [1]
        assert survivors(snapshot, Filter(folder=str(tmp_path / odd))).tolist() == [1]
        assert survivors(snapshot, Filter(folder="cafe")).tolist() == []
    finally:
        snapshot.close()
