"""Filters: which pictures pass, each against a plain predicate over the rows."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import numpy as np
import pytest

from clipsearch.query.filters import Filter, survivors
from tests.query.filtered_rows import COUNT, assert_passes, inside


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


def test_ids_come_ascending_though_rows_do_not(snapshot):
    stored = [i for (i,) in snapshot.catalog.fetch("SELECT id FROM pictures")]
    assert stored != sorted(stored)
    assert survivors(snapshot, "true").tolist() == sorted(stored)


def test_filters_are_values():
    assert Filter(camera="x") == Filter(camera="x") != Filter(camera="y")
    assert len({Filter(near=(1, 2, 3)), Filter(near=(1, 2, 3))}) == 1
    with pytest.raises(AttributeError):
        Filter().camera = "x"
