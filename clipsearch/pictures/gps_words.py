"""The tags of EXIF's GPS directory as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from PIL import ExifTags

from clipsearch.pictures.exif import Tags, degrees
from clipsearch.pictures.exif_words import comment, number, plain, readable

_BEARING = {"T": "° from north", "M": "° from magnetic north"}
_UNITS = {
    "GPSSpeed": {"K": " km/h", "M": " mph", "N": " knots"},
    "GPSDestDistance": {"K": " km", "M": " miles", "N": " nautical miles"},
    **dict.fromkeys(("GPSTrack", "GPSImgDirection", "GPSDestBearing"), _BEARING),
}


def place(tags: Tags) -> Iterator[tuple[str, str]]:
    """Names and values of the tags; what only says how another is meant is read with that one."""
    named = {ExifTags.GPSTAGS.get(tag) or f"Tag 0x{tag:04X}": value for tag, value in tags.items()}
    for name, value in named.items():
        if not (name.endswith("Ref") and name.removesuffix("Ref") in named) and (words := _value(name, value, named)):
            yield readable(name), words


def _value(name: str, value: Any, named: Mapping[str, Any]) -> str:
    side = named.get(f"{name}Ref")
    letter = side.strip("\0 ").upper() if isinstance(side, str) else ""
    if name.endswith(("Latitude", "Longitude")):
        sides, limit = ("NS", 90) if name.endswith("Latitude") else ("EW", 180)
        angle = degrees(value, letter, sides, limit)
        return f"{abs(angle):.6f}° {letter}" if angle is not None else ""
    with suppress(TypeError, ValueError, ArithmeticError, LookupError):
        match name:
            case "GPSAltitude":
                below = side in (1, b"\x01", 3, b"\x03")
                return f"{number(value)} m {'below' if below else 'above'} sea level" if number(value) else ""
            case "GPSTimeStamp":
                hours, minutes, seconds = (float(part) for part in value)
                return f"{hours:02.0f}:{minutes:02.0f}:{seconds:02.0f} UTC"
            case "GPSVersionID":
                return ".".join(str(part) for part in value)
            case "GPSHPositioningError":
                return f"{number(value)} m"
            case "GPSProcessingMethod" | "GPSAreaInformation":
                return comment(value)
    if name in _UNITS and number(value):
        return number(value) + _UNITS[name].get(letter, "")
    return plain(value)
