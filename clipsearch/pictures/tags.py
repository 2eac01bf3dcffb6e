"""All that a picture file says of itself, in words: EXIF, XMP, IPTC and the texts of a PNG."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from PIL import ExifTags, Image, ImageFile

from clipsearch.pictures.decode import opened
from clipsearch.pictures.exif import base, directory
from clipsearch.pictures.exif_words import in_words, interoperability
from clipsearch.pictures.gps_words import place
from clipsearch.pictures.titles import titles

_PNG = b"\x89PNG\r\n\x1a\n"
_TOLD = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")


@dataclass(frozen=True, slots=True)
class Tag:
    """One thing a picture file says of itself.

    Attributes:
        group: what kind of thing it is: `Titles`, `Texts`, `Camera`, `Exposure`, `Place`, `Thumbnail` or
            `Interoperability`.
        name: what it is, e.g. `Exposure time`.
        value: how it is, e.g. `1/200 s`.
    """

    group: str
    name: str
    value: str


def read_tags(data: bytes) -> tuple[Tag, ...]:
    """Everything the bytes of a picture file say of it, group by group.

    Only headers are read, no pixels are decoded. Never raises: what is broken is left out.
    """
    with suppress(Exception), opened(_without_pixels(data) if data.startswith(_PNG) else data) as image:
        return tuple(Tag(group, name, value) for group, name, value in _tags(image))
    return ()


def _tags(image: ImageFile.ImageFile) -> Iterator[tuple[str, str, str]]:
    groups = (
        ("Titles", titles(image)),
        ("Texts", _texts(image)),
        ("Camera", in_words(base(image))),
        ("Exposure", in_words(directory(image, ExifTags.IFD.Exif))),
        ("Place", place(directory(image, ExifTags.IFD.GPSInfo))),
        ("Thumbnail", in_words(directory(image, ExifTags.IFD.IFD1))),
        ("Interoperability", interoperability(directory(image, ExifTags.IFD.Interop))),
    )
    return ((group, name, value) for group, found in groups for name, value in found)


def _texts(image: ImageFile.ImageFile) -> Iterator[tuple[str, str]]:
    """The texts of a PNG under their own names, and the comment of a JPEG or GIF."""
    for name, text in getattr(image, "text", {}).items():
        if text.strip() and not name.startswith(("Raw profile type", "XML:com.adobe.xmp")):
            yield name, text.strip()
    comment = image.info.get("comment", b"")
    if isinstance(comment, bytes) and (told := comment.decode("utf-8", "replace").strip("\0 \r\n")):
        yield "Comment", told


def _without_pixels(png: bytes) -> bytes:
    """A PNG of one pixel that says the same of itself: what follows the pixels would otherwise be read after them."""
    kept, start = bytearray(), len(_PNG)
    while start + 12 <= len(png):
        end = start + 12 + int.from_bytes(png[start : start + 4], "big")
        if png[start + 4 : start + 8] in _TOLD:
            kept += png[start:end]
        start = end
    head = len(_PNG) + 25  # the chunk that gives the size
    return _one_pixel()[:head] + kept + _one_pixel()[head:]


@cache
def _one_pixel() -> bytes:
    file = io.BytesIO()
    Image.new("1", (1, 1)).save(file, "PNG")
    return file.getvalue()
