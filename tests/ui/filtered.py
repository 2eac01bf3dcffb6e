"""Pictures with everything there is to filter by."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from .conftest import COLOURS, Build, draw

CAMERAS = ("Acme One", "Acme *Two*", None)
NOTES = "note <b>"


def make(place: Path, build: Build) -> Path:
    """An index of 36 photos of three years in two folders, and of 60 pictures in Parquet with columns of its own."""
    for number in range(36):
        exif = Image.Exif()
        if CAMERAS[number % 3]:
            exif[0x010F], exif[0x0110] = "Acme", str(CAMERAS[number % 3])
        exif.get_ifd(0x8769)[0x9003] = f"{2020 + number % 3}:{1 + number % 12:02}:15 12:00:00"
        file = place / "photos" / ("sea" if number % 2 else "town/old [x](y)") / f"{number}.jpg"
        size = (600, 600) if number < 6 else (60, 40)
        draw(file, COLOURS[number % len(COLOURS)], size, mtime=1_700_000_000, exif=exif)
    packed = io.BytesIO()
    Image.new("RGB", (50, 50), "teal").save(packed, "PNG")
    table = {
        "image": [packed.getvalue()[:-1] + bytes([n]) for n in range(60)],
        "stars": [n % 5 + 1 for n in range(60)],
        "price": [n / 4 for n in range(60)],
        "liked": [n % 2 == 0 for n in range(60)],
        "tags": [["snow", f"tag {n}"] for n in range(60)],
        "note": [f"{NOTES} {n}" for n in range(60)],
        "sold on": pa.array([18_000 + n for n in range(60)], pa.date32()),
        "same": ["x"] * 60,
    }
    pq.write_table(pa.table(table), place / "photos" / "shard.parquet")
    os.utime(place / "photos" / "shard.parquet", (1_700_000_000, 1_700_000_000))
    build(place / "photos", place / "photos.index")
    return place / "photos.index"
