"""Pictures as small as they are shown."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from clipsearch.pictures.decode import read_picture

THUMBNAIL = (960, 400)
"""Twice the grid's row height, for sharp screens, and as wide as a panorama's tile."""

PREVIEW = (2048, 2048)

_QUALITY = 80


def shrink(picture: bytes, box: tuple[int, int] = THUMBNAIL) -> bytes:
    """An encoded picture as an upright WebP within a box of (width, height) pixels.

    Raises:
        PictureError: it cannot be read.
    """
    return small(read_picture(picture, draft=box).image, box)


def small(image: Image.Image, box: tuple[int, int] = THUMBNAIL) -> bytes:
    """The same of an upright RGB image, which is shrunk in place: it may be large, and is not copied."""
    image.thumbnail(box, Image.Resampling.BICUBIC, reducing_gap=2.0)
    encoded = BytesIO()
    image.save(encoded, "WEBP", quality=_QUALITY, method=2)
    return encoded.getvalue()
