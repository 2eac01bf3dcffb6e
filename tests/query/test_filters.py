"""Filters: which pictures pass, each against a plain predicate over the rows."""

from __future__ import annotations

import math
import os
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from clipsearch.errors import QueryError
from clipsearch.query.filters import Filter, survivors
from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing

FOLDERS = ("2024", "2024-trip", "2024/summer", "2024/summer/beach", "Photos/2024", "100%", "1000", "a_b", "aXb", "it's")
CAMERAS = (None, "Canon EOS 5D", "NIKON D750", "canon PowerShot", "100%_zoom")
# Munich, near the date line on both its sides, the poles, and nothing.
PLACES = (
    *((48.137, 11.575), (48.2, 11.6), (48.9, 12.1), (-17.8, 179.9), (-17.8, -179.9), (-17.8, 178.0)),
    *((89.99, 0.0), (89.99, 180.0), (-90.0, 45.0), (0.001, 0.0), (None, None)),
)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "GIF")
SIZES = ((4000, 3000), (3000, 4000), (1920, 1080), (640, 480), (100, 5000), (1024, 1024))
DAYS = (None, *(datetime(2024, 6, 1) + timedelta(hours=h) for h in (-1, 0, 12, 23.99, 24, 24 * 30 - 0.001, 24 * 30)))
COUNT = 400


def rows() -> list[dict]:
    """Rows whose properties are drawn independently, so that every pair of filters meets every case."""
    pick = np.random.default_rng(3)
    found = []
    for number in range(1, COUNT + 1):
        folder = FOLDERS[pick.integers(len(FOLDERS))]
        shard = f"{folder}/s.parquet" if number % 7 == 0 else None
        path = f"{shard}#0/{number}" if shard else f"{folder}/{number}.jpg"
        # Of the pictures that a Parquet file names, some lie in a folder other than its own.
        file = f"elsewhere/{number}.jpg" if number % 14 == 0 else None if shard else path
        width, height = SIZES[pick.integers(len(SIZES))]
        latitude, longitude = PLACES[pick.integers(len(PLACES))]
        found.append(
            {
                "id": number,
                "root": ("Photos", "Trips")[pick.integers(2)],
                "path": path,
                "file": file,
                "shard": shard,
                "mtime_ns": int(datetime(2024, 6, int(pick.integers(1, 30)), tzinfo=UTC).timestamp()) * 10**9,
                "format": FORMATS[pick.integers(len(FORMATS))],
                "width": width,
                "height": height,
                "taken_at": DAYS[pick.integers(len(DAYS))],
                "camera": CAMERAS[pick.integers(len(CAMERAS))],
                "latitude": latitude,
                "longitude": longitude,
                "caption": (None, "a dog", "two DOGS", "a cat")[pick.integers(4)],
                "Film Type": ("slide", "negative", None)[pick.integers(3)],
                "tags": (["a", "b"], [], None)[pick.integers(3)],
            }
        )
    return found


ROWS = rows()


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    place = tmp_path_factory.mktemp("filters")
    schema = ROW_SCHEMA.append(pa.field("Film Type", pa.string())).append(pa.field("tags", pa.list_(pa.string())))
    with open_for_writing(place / "x.index", ModelRef("toy", "toy-1", 4)) as writer:
        writer.take_ids(COUNT)
        for alias in ("Photos", "Trips"):
            (place / alias).mkdir()
            writer.roots[alias] = Root(alias, str(place / alias))
        # The log is written backwards, so that rows do not lie in the order of their ids.
        for part in (ROWS[200:], ROWS[:200]):
            vectors = np.tile(np.float16([1, 0, 0, 0]), (len(part), 1))
            writer.append(pa.Table.from_pylist(part, schema=schema), vectors)
        writer.publish()
    opened = Snapshot(place / "x.index")
    yield opened
    opened.close()


def assert_passes(snapshot, wanted, predicate):
    """The survivors are the rows of which a predicate is true; it has to tell rows apart."""
    expected = [row["id"] for row in ROWS if predicate(row)]
    assert 0 < len(expected) < COUNT
    ids = survivors(snapshot, wanted)
    assert ids.dtype == np.int64
    assert ids.tolist() == expected


def place(row) -> str:
    return row["file"] or row["path"]


def inside(folder):
    return lambda row: place(row).startswith(folder + "/")


def moment(row) -> datetime:
    return row["taken_at"] or datetime.fromtimestamp(row["mtime_ns"] // 10**9, UTC).replace(tzinfo=None)


def distance(row, latitude, longitude) -> float:
    """Kilometres by vectors in space, another way than the haversine of the code under test."""
    if row["latitude"] is None:
        return math.inf

    def point(lat, lon):
        lat, lon = math.radians(lat), math.radians(lon)
        return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])

    one, other = point(row["latitude"], row["longitude"]), point(latitude, longitude)
    return math.atan2(np.linalg.norm(np.cross(one, other)), one @ other) * 6371.0088


@pytest.mark.parametrize("nothing", [None, Filter()])
def test_no_filter_is_none(snapshot, nothing):
    assert survivors(snapshot, nothing) is None
    assert not Filter()
    assert Filter(camera="x")


@pytest.mark.parametrize(
    ("sql", "predicate"),
    [
        ("width > 2000", lambda r: r["width"] > 2000),
        ("caption ilike '%dog%'", lambda r: "dog" in (r["caption"] or "").lower()),
        ("not (caption ilike '%dog%')", lambda r: r["caption"] is not None and "dog" not in r["caption"].lower()),
        ("caption is null", lambda r: r["caption"] is None),
        ("taken_at >= date '2024-06-02'", lambda r: r["taken_at"] and r["taken_at"] >= datetime(2024, 6, 2)),
        ("taken_at >= '2024-06-02'", lambda r: r["taken_at"] and r["taken_at"] >= datetime(2024, 6, 2)),
        (
            "width > 2000 and taken_at >= date '2024-06-01' and caption ilike '%dog%'",
            lambda r: (
                r["width"] > 2000
                and r["taken_at"]
                and r["taken_at"] >= datetime(2024, 6, 1)
                and "dog" in (r["caption"] or "").lower()
            ),
        ),
        ("\"Film Type\" = 'slide'", lambda r: r["Film Type"] == "slide"),
        ("list_contains(tags, 'a')", lambda r: "a" in (r["tags"] or [])),
        ("len(list_filter(tags, lambda t: t > 'a')) = 1", lambda r: bool(r["tags"])),
        ("id in (3, 5, 7)", lambda r: r["id"] in (3, 5, 7)),
        ("images.width = height", lambda r: r["width"] == r["height"]),
        ("case when width > height then true end", lambda r: r["width"] > r["height"]),
        ("width > 2000 -- wide ones", lambda r: r["width"] > 2000),
        ("width /* of the upright picture */ > 2000", lambda r: r["width"] > 2000),
        ("width > 2000 -- wide\n and height > 3500", lambda r: r["width"] > 2000 and r["height"] > 3500),
        ("width > 2000 or true and height > 4500", lambda r: r["width"] > 2000 or r["height"] > 4500),
        ("caption = 'a dog' or caption = '; drop table pictures; --'", lambda r: r["caption"] == "a dog"),
        ("caption not in ('\"class\":\"SUBQUERY\"', 'a cat')", lambda r: r["caption"] in ("a dog", "two DOGS")),
    ],
)
def test_sql(snapshot, sql, predicate):
    assert_passes(snapshot, sql, predicate)
    assert_passes(snapshot, Filter(where=sql), predicate)


def test_a_condition_that_is_null_is_not_met(snapshot):
    assert survivors(snapshot, "null and true").tolist() == []
    assert survivors(snapshot, "null = 1").tolist() == []


def test_or_of_the_user_does_not_leak_out_of_its_brackets(snapshot):
    assert_passes(
        snapshot,
        Filter(where="width > 2000 or true", camera="nikon"),
        lambda r: "nikon" in (r["camera"] or "").lower(),
    )


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


def first_of_june(r):
    return moment(r) >= datetime(2024, 6, 1)


@pytest.mark.parametrize(
    ("wanted", "predicate"),
    [
        (Filter(after="2024-06-02"), lambda r: moment(r) >= datetime(2024, 6, 2)),
        (Filter(after="2024-06-01"), first_of_june),
        (Filter(after="2024-06"), first_of_june),
        (Filter(after=date(2024, 6, 1)), first_of_june),
        (Filter(after=datetime(2024, 6, 1, 12)), lambda r: moment(r) >= datetime(2024, 6, 1, 12)),
        (Filter(after="2024-06-01T12:00"), lambda r: moment(r) >= datetime(2024, 6, 1, 12)),
        (Filter(after="2024-06-01 12:00:01"), lambda r: moment(r) >= datetime(2024, 6, 1, 12, 0, 1)),
        (Filter(before="2024-06-01"), lambda r: moment(r) < datetime(2024, 6, 2)),
        (Filter(before=date(2024, 6, 30)), lambda r: moment(r) < datetime(2024, 7, 1)),
        (Filter(before="2024-06"), lambda r: moment(r) < datetime(2024, 7, 1)),
        (Filter(before="2024-05"), lambda r: moment(r) < datetime(2024, 6, 1)),
        (Filter(before=datetime(2024, 6, 1, 12)), lambda r: moment(r) <= datetime(2024, 6, 1, 12)),
        (
            Filter(after="2024-06-01", before="2024-06-01"),
            lambda r: datetime(2024, 6, 1) <= moment(r) < datetime(2024, 6, 2),
        ),
    ],
)
def test_dates(snapshot, wanted, predicate):
    assert_passes(snapshot, wanted, predicate)


def test_whole_years(snapshot):
    assert len(survivors(snapshot, Filter(after="2024", before="2024"))) == COUNT
    assert len(survivors(snapshot, Filter(before="9999"))) == COUNT
    assert survivors(snapshot, Filter(before="2023")).tolist() == []
    assert survivors(snapshot, Filter(after="2025")).tolist() == []


@pytest.mark.parametrize("camera", ["canon", "CANON", "EOS 5d", "nikon", "%", "_", "100%_Z"])
def test_camera(snapshot, camera):
    assert_passes(snapshot, Filter(camera=camera), lambda r: camera.lower() in (r["camera"] or "").lower())


@pytest.mark.parametrize(
    ("latitude", "longitude", "km"),
    [
        (48.137, 11.575, 1),
        (48.137, 11.575, 20),
        (48.137, 11.575, 200),
        (-17.8, 180, 30),
        (-17.8, -180, 30),
        (-17.8, 179.9, 250),
        (90, 0, 2),
        (90, -120, 2),
        (89.99, 90, 3),
        (-90, 0, 1),
        (0, 0, 0.2),
        (0, 0, 10018.8),
        (10, -170, 20000),
    ],
)
def test_near(snapshot, latitude, longitude, km):
    assert_passes(snapshot, Filter(near=(latitude, longitude, km)), lambda r: distance(r, latitude, longitude) <= km)


def test_as_far_as_the_other_side_of_the_earth_is_every_picture_with_a_place(snapshot):
    assert_passes(snapshot, Filter(near=(48, 11, 20040)), lambda r: r["latitude"] is not None)


@pytest.mark.parametrize(
    ("name", "stored"),
    [("jpg", "JPEG"), ("JPEG", "JPEG"), (".jpg", "JPEG"), ("png", "PNG"), ("tif", "TIFF"), ("heic", "HEIF")],
)
def test_format(snapshot, name, stored):
    assert_passes(snapshot, Filter(format=name), lambda r: r["format"] == stored)


@pytest.mark.parametrize(
    ("size", "width", "height"), [(1000, 1000, 1000), ((1920, 1080), 1920, 1080), ((1, 4000), 1, 4000), (3001, 3001, 1)]
)
def test_min_size(snapshot, size, width, height):
    if size == 3001:
        assert survivors(snapshot, Filter(min_size=size)).tolist() == []
    else:
        assert_passes(snapshot, Filter(min_size=size), lambda r: r["width"] >= width and r["height"] >= height)


def test_filters_hold_together(snapshot):
    assert_passes(
        snapshot,
        Filter(
            where="caption is not null", folder="2024", camera="canon", format="jpg", min_size=400, before="2024-06"
        ),
        lambda r: (
            r["caption"] is not None
            and inside("2024")(r)
            and "canon" in (r["camera"] or "").lower()
            and r["format"] == "JPEG"
            and min(r["width"], r["height"]) >= 400
            and moment(r) < datetime(2024, 7, 1)
        ),
    )


def test_a_folder_that_may_be_either_of_two_holds_together_with_the_rest(snapshot):
    assert_passes(
        snapshot,
        Filter(camera="canon", folder="Photos"),
        lambda r: "canon" in (r["camera"] or "").lower() and (r["root"] == "Photos" or place(r).startswith("Photos/")),
    )


def test_ids_come_ascending_though_rows_do_not(snapshot):
    stored = [i for (i,) in snapshot.catalog.fetch("SELECT id FROM pictures")]
    assert stored != sorted(stored)
    assert survivors(snapshot, "true").tolist() == sorted(stored)


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


def test_filters_are_values():
    assert Filter(camera="x") == Filter(camera="x") != Filter(camera="y")
    assert len({Filter(near=(1, 2, 3)), Filter(near=(1, 2, 3))}) == 1
    with pytest.raises(AttributeError):
        Filter().camera = "x"
