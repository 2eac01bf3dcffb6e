"""EXIF tags as people read them: `ExposureTime` 0.005 is "Exposure time", "1/200 s"."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from PIL import ExifTags

from clipsearch.pictures.caption import redecoded
from clipsearch.pictures.exif import Tags
from clipsearch.pictures.exif_codes import CODES, flash

_MOST_NUMBERS = 16

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d)(?= |$)")
_NAMES = {
    "DateTime": "Changed at",
    "DateTimeDigitized": "Digitised at",
    "DateTimeOriginal": "Taken at",
    "ExposureBiasValue": "Exposure compensation",
    "FNumber": "Aperture",
    "FocalLengthIn35mmFilm": "Focal length on 35 mm film",
    "GPSDOP": "Dilution of precision",
    "GPSHPositioningError": "Positioning error",
    "GPSImgDirection": "Direction of view",
    "ISOSpeedRatings": "ISO",
    "YCbCrPositioning": "YCbCr positioning",
    "YCbCrSubSampling": "YCbCr subsampling",
    "YCbCrCoefficients": "YCbCr coefficients",
}
# Where another directory or the pixels are, which is of no use to a reader.
_PLACES = {
    *("ExifOffset", "GPSInfo", "ExifInteroperabilityOffset", "SubIFDs"),
    *("StripOffsets", "StripByteCounts", "TileOffsets", "TileByteCounts", "JpegIFOffset", "JpegIFByteCount"),
}
_CHARSETS = {b"ASCII\0\0\0": "ascii", b"UNICODE\0": "utf-16", b"JIS\0\0\0\0\0": "iso2022_jp"}


def in_words(tags: Tags) -> Iterator[tuple[str, str]]:
    """Names and values of the tags of any directory but GPS; those that say nothing are left out."""
    for tag, value in tags.items():
        name = ExifTags.TAGS.get(tag) or f"Tag 0x{tag:04X}"
        if name not in _PLACES and (words := _value(name, value)):
            yield readable(name), words


def interoperability(tags: Tags) -> Iterator[tuple[str, str]]:
    """The same of the directory of interoperability, which has numbers of its own."""
    named = {tag.value: tag.name for tag in ExifTags.Interop}
    for tag, value in tags.items():
        if words := _value(named.get(tag, ""), value):
            yield readable(named.get(tag) or f"Tag 0x{tag:04X}"), words


def readable(name: str) -> str:
    """The name of a tag in words."""
    if name in _NAMES or name.startswith("Tag "):
        return _NAMES.get(name, name)
    words = [word if word.isupper() else word.lower() for word in _WORDS.findall(name.removeprefix("GPS"))]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _value(name: str, value: Any) -> str:
    with suppress(TypeError, ValueError, ArithmeticError, UnicodeError, LookupError):
        if name in CODES:
            code = value[0] if isinstance(value, bytes) else int(value)
            return CODES[name].get(code, str(code))
        return _SPECIAL.get(name, plain)(value)
    return plain(value)


def plain(value: Any) -> str:
    """The value of a tag that has no form of its own, empty where it says nothing."""
    if isinstance(value, str):
        text = redecoded(value.split("\0")[0]).strip()
        return _DATE.sub(r"\1-\2-\3", text, 1)
    if isinstance(value, bytes):
        text = value.rstrip(b"\0").decode("latin-1").strip()
        return text if text.isascii() and text.isprintable() else f"{len(value):,} bytes"
    if isinstance(value, tuple | list):
        shown = ", ".join(plain(part) for part in value[:_MOST_NUMBERS])
        return f"{shown}, … ({len(value):,} values)" if len(value) > _MOST_NUMBERS else shown
    return number(value)


def number(value: Any) -> str:
    """A whole or rational number, empty where it is none."""
    with suppress(TypeError, ValueError, ArithmeticError):
        if math.isfinite(found := float(value)):
            return str(int(found)) if found.is_integer() else f"{found:.6g}"
    return ""


def _unit(unit: str) -> Callable[[Any], str]:
    def with_unit(value: Any) -> str:
        return f"{number(value)} {unit}" if number(value) else ""

    return with_unit


def _seconds(value: Any) -> str:
    seconds = float(value)
    if not (math.isfinite(seconds) and seconds > 0):
        return ""
    return f"1/{round(1 / seconds):,} s" if seconds < 0.3 else f"{seconds:.3g} s"


def _aperture(value: Any) -> str:
    stop = float(value)
    return f"f/{stop:.2g}" if math.isfinite(stop) and stop > 0 else ""


def _lens(value: Any) -> str:
    shortest, longest, *apertures = (float(part) for part in value)
    length = f"{shortest:g} mm" if shortest == longest else f"{shortest:g}-{longest:g} mm"
    widest = [_aperture(stop) for stop in dict.fromkeys(apertures) if _aperture(stop)]
    return " ".join([length, *(["-".join(widest).replace("-f/", "-")] if widest else [])])


def _bias(value: Any) -> str:
    stops = float(value)
    return f"{stops:+.2g} EV" if math.isfinite(stops) and stops else "0 EV"


def _version(value: Any) -> str:
    digits = value.decode("ascii").strip("\0")
    return f"{int(digits[:2])}.{digits[2:].rstrip('0') or '0'}" if len(digits) == 4 else str(digits)


def comment(value: Any) -> str:
    """A text that begins with the name of its character set."""
    if isinstance(value, str):
        return plain(value)
    charset = _CHARSETS.get(value[:8])
    if charset is None:
        return plain(value.removeprefix(bytes(8)))
    return str(value[8:].decode(charset)).strip("\0 ")


def _windows_text(value: Any) -> str:
    return bytes(value).decode("utf-16-le").strip("\0 ")


def _components(value: Any) -> str:
    return " ".join(("", "Y", "Cb", "Cr", "R", "G", "B")[part] for part in value if part)


_SPECIAL: Mapping[str, Callable[[Any], str]] = {
    "ApertureValue": lambda value: _aperture(2 ** (float(value) / 2)),
    "BrightnessValue": _unit("EV"),
    "ComponentsConfiguration": _components,
    "ExifVersion": _version,
    "ExposureBiasValue": _bias,
    "ExposureTime": _seconds,
    "FNumber": _aperture,
    "Flash": lambda value: flash(int(value)),
    "FlashPixVersion": _version,
    "FocalLength": _unit("mm"),
    "FocalLengthIn35mmFilm": _unit("mm"),
    "InteropVersion": _version,
    "LensSpecification": _lens,
    "MakerNote": lambda value: f"{len(value):,} bytes",
    "MaxApertureValue": lambda value: _aperture(2 ** (float(value) / 2)),
    "ShutterSpeedValue": lambda value: _seconds(2 ** -float(value)),
    "SubjectDistance": _unit("m"),
    "UserComment": comment,
    **dict.fromkeys(("XPTitle", "XPComment", "XPAuthor", "XPKeywords", "XPSubject"), _windows_text),
}
