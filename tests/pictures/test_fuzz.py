from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from clipsearch.errors import PictureError
from clipsearch.pictures import fit, read_picture
from clipsearch.types import Preprocessing

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "MPO", "ICO", "PPM")
HEADS = (
    b"",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"II*\0\x08\0\0\0",
    b"MM\0*",
    b"BM",
    b"P6 ",
    b"\0\0\1\0",
)
HEADS += (b"RIFF\xff\0\0\0WEBPVP8 ", b"\0\0\0 ftypheic", b"\0\0\0 ftypavif", b"\0\0\0\x0cjP  \r\n\x87\n")


@cache
def valid(name: str) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)
    exif = Image.Exif()
    exif.update({0x010E: "a caption", 0x0112: 6, 0x010F: "Canon"})
    exif.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.0), 3: "W", 4: (1.0, 2.0, 3.0)})
    options = {"exif": exif} if name in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "MPO") else {}
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, name, **options)
    return buffer.getvalue()


def reads_or_fails(data: bytes, draft: tuple[int, int] | None) -> None:
    try:
        picture = read_picture(data, max_pixels=1_000_000, draft=draft)
    except PictureError:
        return
    assert picture.image.mode == "RGB"
    assert fit(picture.image, Preprocessing(8, 8)).shape == (8, 8, 3)


@given(st.sampled_from(HEADS), st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
@example(b"", b"")
def test_random_bytes(head, tail):
    reads_or_fails(head + tail, None)


@given(
    st.sampled_from(FORMATS),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8),
    st.integers(0, 10_000),
    st.sampled_from([None, (4, 4)]),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_pictures(name, changes, cut, draft):
    data = bytearray(valid(name))
    for place, byte in changes:
        data[place % len(data)] = byte
    reads_or_fails(bytes(data[: cut + 1]), draft)
