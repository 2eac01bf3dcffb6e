"""The EXIF directories of a picture file as Pillow reads them, without the half a dozen kinds of errors it raises on
broken ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from PIL import Image

Tags = Mapping[int, Any]


def base(image: Image.Image) -> Tags:
    """The tags of the first directory by number, as far as they can be read."""
    found: dict[int, Any] = {}
    with suppress(Exception):
        exif = image.getexif()
        for tag in exif:
            with suppress(Exception):
                found[tag] = exif[tag]
    return found


def directory(image: Image.Image, ifd: int) -> Tags:
    """The tags of a further directory (`PIL.ExifTags.IFD`), none where it is broken."""
    with suppress(Exception):
        return dict(image.getexif().get_ifd(ifd))
    return {}


def degrees(parts: object, side: object, sides: str, limit: int) -> float | None:
    """An angle of EXIF's GPS directory, degrees, minutes and seconds, as one number.

    `sides` are the letters of the positive and of the negative side; None where something is broken or beyond `limit`.
    """
    letter = side.strip("\0 ").upper() if isinstance(side, str) else ""
    if letter not in (sides[0], sides[1]):
        return None
    with suppress(TypeError, ValueError, ZeroDivisionError, OverflowError):
        whole, minutes, seconds = (float(part) for part in parts)  # type: ignore[attr-defined]
        angle = whole + minutes / 60 + seconds / 3600
        if math.isfinite(angle) and 0 <= angle <= limit:
            return angle if letter == sides[0] else -angle
    return None
