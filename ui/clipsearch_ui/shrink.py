"""Pictures as small as the page shows them."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from clipsearch.pictures import read_picture

THUMBNAIL = (960, 400)
"""Twice the grid's row height, for sharp screens, and as wide as a panorama's tile."""

PREVIEW = (2048, 2048)

_QUALITY = 80


def shrink(picture: bytes, box: tuple[int, int] = THUMBNAIL) -> bytes:
    """An encoded picture as an upright WebP within a box of (width, height) pixels.

    Raises:
        PictureError: it cannot be read.
    """
    image = read_picture(picture, draft=box).image
    image.thumbnail(box, Image.Resampling.BICUBIC, reducing_gap=2.0)
    small = BytesIO()
    image.save(small, "WEBP", quality=_QUALITY, method=2)
    return small.getvalue()
