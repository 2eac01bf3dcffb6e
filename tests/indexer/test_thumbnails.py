"""Thumbnails made while indexing are those the page shows."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from conftest import noise
from PIL import Image
from toy import ToyEncoder

import clipsearch
from clipsearch.store.picture_store import thumbnails_of
from clipsearch_indexer import build


def a_folder(folder: Path) -> Path:
    folder.mkdir()
    for number, size in enumerate([(40, 30), (1200, 900), (900, 1200)]):
        Image.fromarray(noise(number, size)).save(folder / f"{number}.jpg", quality=90)
    turned = Image.fromarray(noise(9, (600, 400)))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(folder / "turned.jpg", exif=exif)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff and no more")
    return folder


def test_a_thumbnail_for_each_picture_and_the_same_vectors(tmp_path):
    folder = a_folder(tmp_path / "photos")
    build(folder, tmp_path / "plain", encoder=ToyEncoder())
    build(folder, tmp_path / "with", encoder=ToyEncoder(), thumbnails=True)
    with clipsearch.open(tmp_path / "plain", encoder=ToyEncoder()) as plain:
        ids = [row["id"] for row in plain.sql("SELECT id FROM images ORDER BY id").to_pylist()]
        assert np.array_equal(plain.vectors(ids), clipsearch.open(tmp_path / "with", encoder=ToyEncoder()).vectors(ids))
        kept = thumbnails_of(tmp_path / "with")
        none = thumbnails_of(tmp_path / "plain")
        for picture_id in ids:
            picture = plain.get(picture_id)
            assert none.get(picture["content_hash"]) is None
            with Image.open(BytesIO(kept.get(picture["content_hash"]))) as small:
                assert small.format == "WEBP"
                assert small.width <= 960
                assert small.height <= 400
                assert abs(small.width / small.height - picture["width"] / picture["height"]) < 0.02
        kept.close()
        none.close()
