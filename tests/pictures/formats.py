"""Formats that pictures come in: Pillow's name of each and how to save it; and one that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipsearch.errors import PictureError
from clipsearch.pictures import read_picture

PICTURES = {
    "JPEG": ("JPEG", {"quality": 95}),
    "JPEG progressive": ("JPEG", {"quality": 95, "progressive": True}),
    "PNG": ("PNG", {}),
    "GIF": ("GIF", {}),
    "WebP": ("WEBP", {"quality": 95}),
    "WebP lossless": ("WEBP", {"lossless": True}),
    "BMP": ("BMP", {}),
    "TIFF": ("TIFF", {}),
    "TIFF LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "AVIF": ("AVIF", {"quality": 95}),
    "JPEG 2000": ("JPEG2000", {}),
    "PPM": ("PPM", {}),
    "ICO": ("ICO", {"sizes": [(96, 64)]}),
    "HEIF": ("HEIF", {"quality": 95}),
}


def fails(data: bytes | Path, **options) -> PictureError:
    with pytest.raises(PictureError) as caught:
        read_picture(data, **options)
    return caught.value
