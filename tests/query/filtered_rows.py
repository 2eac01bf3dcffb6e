"""Made-up rows whose properties are independent of one another, and checking a filter on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from clipsearch.query.filters import survivors
from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.schema import ROW_SCHEMA
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


def write_rows(place: Path) -> Path:
    """An index of the rows in a folder, with two roots there."""
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
    return place / "x.index"


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
