"""What a picture file says of itself: date, camera, place, caption. Broken metadata gives None, never an error."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime

from PIL import ExifTags, Image

from clipsearch.pictures.caption import clean_text, read_caption
from clipsearch.pictures.exif import Tags, base, degrees, directory
from clipsearch.types import PictureFacts

_EXIF, _GPS = ExifTags.Base, ExifTags.GPS
_DATES = re.compile(r"\s*(\d{4})\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)(?:\D(\d\d))?")


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation, 1..8; 1 where there is none or it makes no sense."""
    value = base(image).get(_EXIF.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def read_facts(image: Image.Image, size: tuple[int, int]) -> PictureFacts:
    """Gather the facts of a loaded image whose upright `size` is (width, height) pixels. Never raises."""
    first = base(image)
    detail = directory(image, ExifTags.IFD.Exif)
    latitude, longitude = _place(directory(image, ExifTags.IFD.GPSInfo))
    return PictureFacts(
        format="JPEG" if image.format == "MPO" else image.format or "",
        width=size[0],
        height=size[1],
        taken_at=_taken_at(first, detail),
        camera=_camera(first),
        latitude=latitude,
        longitude=longitude,
        caption=read_caption(first.get(_EXIF.ImageDescription), image.info),
    )


def _taken_at(first: Tags, detail: Tags) -> datetime | None:
    candidates = (
        (detail.get(_EXIF.DateTimeOriginal), detail.get(_EXIF.SubsecTimeOriginal)),
        (detail.get(_EXIF.DateTimeDigitized), detail.get(_EXIF.SubsecTimeDigitized)),
        (first.get(_EXIF.DateTime), detail.get(_EXIF.SubsecTime)),
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


def _camera(first: Tags) -> str | None:
    make, model = clean_text(first.get(_EXIF.Make)), clean_text(first.get(_EXIF.Model))
    if not make or not model:
        return model or make
    named = model.split()[0].casefold() in make.casefold().split()
    return model if named or model.casefold().startswith(make.casefold()) else f"{make} {model}"


def _place(gps: Tags) -> tuple[float | None, float | None]:
    latitude = degrees(gps.get(_GPS.GPSLatitude), gps.get(_GPS.GPSLatitudeRef), "NS", 90)
    longitude = degrees(gps.get(_GPS.GPSLongitude), gps.get(_GPS.GPSLongitudeRef), "EW", 180)
    # Cameras without a fix write zeros; nobody photographs at 0 N 0 E, in the open sea.
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None
    return latitude, longitude
