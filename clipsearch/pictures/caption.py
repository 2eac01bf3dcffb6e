"""The caption inside a picture file, told from what cameras and programs leave there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_JUNK = re.compile(
    r"""(?xi)
    (?: olympus | minolta | konica\ minolta | sanyo | kodak | samsung | ricoh )? \s* digital (?:\ still)? \ camera
    | sony\ dsc | samsung | dcim .* | exif[ _]jpeg (?:[ _]picture)? | jpeg | ascii | untitled | default | screenshot
    | (?: dscn? | img | pict | dscf | mvimg | pxl | p ) [\d_-]* \d [\d_-]* (?:\.\w+)?
    | creator:\ gd-jpeg .* | lead\ technologies .* | file\ written\ by .* | created\ (?:with|by)\ .* | <\?xpacket .*
    | (?: cof | edf | dav | hdr | sdr | mde | rhdr | ptr | oznor | nor | smart | vty | bst | burst | btf | btr | rbt
        | hdrpl | binary\ comment ) (?:_cuva)?
    | [\W\d_]*
    """
)
_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")


def read_caption(description: object, info: Mapping[str | tuple[int, int], Any]) -> str | None:
    """The caption given by EXIF's ImageDescription, else by a PNG's Description or Title; None where it is junk."""
    for value in (description, info.get("Description"), info.get("Title")):
        text = clean_text(value)
        if text and not _JUNK.fullmatch(text):
            return text
    return None


def clean_text(value: object) -> str | None:
    """Text of a metadata field: what precedes the first NUL, on one line; None where it is empty or not text."""
    if not isinstance(value, str):
        return None
    text = " ".join(redecoded(value.split("\0")[0]).split())
    return text if text and not _UNREADABLE.search(text) else None


def redecoded(text: str) -> str:
    """The text that was meant: Pillow reads EXIF as Latin-1, where most programs write UTF-8 and old ones
    Windows-1252."""
    for encoding in ("utf-8", "cp1252"):
        with suppress(UnicodeError):
            return text.encode("latin-1").decode(encoding)
    return text
