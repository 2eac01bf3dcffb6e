"""What a picture file says of itself: date, camera, place, caption. Broken metadata gives None, never an error."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

from clipsearch.pictures.caption import clean_text, read_caption
from clipsearch.types import PictureFacts

_Tags = Mapping[int, Any]
_EXIF, _GPS = ExifTags.Base, ExifTags.GPS
_DATES = re.compile(r"\s*(\d{4})\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)(?:\D(\d\d))?")


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation, 1..8; 1 where there is none or it makes no sense."""
    value = _base(image).get(_EXIF.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def read_facts(image: Image.Image, size: tuple[int, int]) -> PictureFacts:
    """Gather the facts of a loaded image whose upright `size` is (width, height) pixels. Never raises."""
    base = _base(image)
    detail = _directory(image, ExifTags.IFD.Exif)
    latitude, longitude = _place(_directory(image, ExifTags.IFD.GPSInfo))
    return PictureFacts(
        format="JPEG" if image.format == "MPO" else image.format or "",
        width=size[0],
        height=size[1],
        taken_at=_taken_at(base, detail),
        camera=_camera(base),
        latitude=latitude,
        longitude=longitude,
        caption=read_caption(base.get(_EXIF.ImageDescription), image.info),
    )


def _base(image: Image.Image) -> _Tags:
    # Pillow raises half a dozen kinds of errors on broken EXIF; none of them makes the picture unreadable.
    with suppress(Exception):
        return dict(image.getexif())
    return {}


def _directory(image: Image.Image, ifd: int) -> _Tags:
    with suppress(Exception):
        return dict(image.getexif().get_ifd(ifd))
    return {}


def _taken_at(base: _Tags, detail: _Tags) -> datetime | None:
    candidates = (
        (detail.get(_EXIF.DateTimeOriginal), detail.get(_EXIF.SubsecTimeOriginal)),
        (detail.get(_EXIF.DateTimeDigitized), detail.get(_EXIF.SubsecTimeDigitized)),
        (base.get(_EXIF.DateTime), detail.get(_EXIF.SubsecTime)),
    )
    return next((moment for text, part in candidates if (moment := _moment(text, part))), None)


def _moment(text: object, part: object) -> datetime | None:
    if not isinstance(text, str) or not (found := _DATES.match(text)):
        return None
    digits = part.strip("\0 ") if isinstance(part, str) else ""
    microseconds = int(digits[:6].ljust(6, "0")) if digits.isascii() and digits.isdigit() else 0
    year, month, day, hour, minute = (int(number) for number in found.groups()[:5])
    with suppress(ValueError):
        return datetime(year, month, day, hour, minute, int(found[6] or 0), microseconds)
    return None


def _camera(base: _Tags) -> str | None:
    make, model = clean_text(base.get(_EXIF.Make)), clean_text(base.get(_EXIF.Model))
    if not make or not model:
        return model or make
    named = model.split()[0].casefold() in make.casefold().split()
    return model if named or model.casefold().startswith(make.casefold()) else f"{make} {model}"


def _place(gps: _Tags) -> tuple[float | None, float | None]:
    latitude = _degrees(gps.get(_GPS.GPSLatitude), gps.get(_GPS.GPSLatitudeRef), "NS", 90)
    longitude = _degrees(gps.get(_GPS.GPSLongitude), gps.get(_GPS.GPSLongitudeRef), "EW", 180)
    # Cameras without a fix write zeros; nobody photographs at 0 N 0 E, in the open sea.
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None
    return latitude, longitude


def _degrees(parts: object, side: object, sides: str, limit: int) -> float | None:
    letter = side.strip("\0 ").upper() if isinstance(side, str) else ""
    if letter not in (sides[0], sides[1]):
        return None
    with suppress(TypeError, ValueError, ZeroDivisionError, OverflowError):
        degrees, minutes, seconds = (float(part) for part in parts)  # type: ignore[attr-defined]
        angle = degrees + minutes / 60 + seconds / 3600
        if math.isfinite(angle) and 0 <= angle <= limit:
            return angle if letter == sides[0] else -angle
    return None
