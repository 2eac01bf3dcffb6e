"""What people and their programs say of a picture inside its file: XMP and IPTC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from xml.etree import ElementTree

from PIL import ImageFile, IptcImagePlugin

_DC, _PHOTOSHOP = "{http://purl.org/dc/elements/1.1/}", "{http://ns.adobe.com/photoshop/1.0/}"
_XMP, _RDF = "{http://ns.adobe.com/xap/1.0/}", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_MOST_BYTES = 1 << 20
_XMP_NAMES = {
    f"{_DC}title": "Title",
    f"{_PHOTOSHOP}Headline": "Headline",
    f"{_DC}description": "Description",
    f"{_DC}subject": "Keywords",
    f"{_DC}creator": "Author",
    f"{_DC}rights": "Copyright",
    f"{_PHOTOSHOP}City": "City",
    f"{_PHOTOSHOP}State": "State",
    f"{_PHOTOSHOP}Country": "Country",
    f"{_XMP}Rating": "Rating",
    f"{_XMP}Label": "Label",
    f"{_XMP}CreatorTool": "Made with",
}
# Record 2 of the Information Interchange Model.
_IPTC_NAMES = {
    5: "Title",
    105: "Headline",
    120: "Description",
    25: "Keywords",
    80: "Author",
    116: "Copyright",
    92: "Location",
    90: "City",
    95: "State",
    101: "Country",
}


def titles(image: ImageFile.ImageFile) -> Iterator[tuple[str, str]]:
    """Names and values of what XMP and IPTC say, each said once. What is broken is left out."""
    said: dict[tuple[str, str], None] = {}
    with suppress(Exception):  # Pillow and the XML parser raise many kinds on broken blocks
        said |= dict.fromkeys(_xmp(image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""))
    with suppress(Exception):
        said |= dict.fromkeys(_iptc(image))
    yield from said


def _xmp(packet: bytes | str) -> Iterator[tuple[str, str]]:
    text = packet.decode("utf-8") if isinstance(packet, bytes) else packet
    # Entities have no place in XMP; in the wrong hands they make much of little.
    if len(text) > _MOST_BYTES or "<!" in text:
        return
    for element in ElementTree.fromstring(text.strip("\0 \t\r\n\ufeff")).iter():
        if name := _XMP_NAMES.get(element.tag):
            parts = [part.text or "" for part in element.iter(f"{_RDF}li")] or [element.text or ""]
            if value := ", ".join(dict.fromkeys(part.strip() for part in parts if part.strip())):
                yield name, value
        for key, value in element.attrib.items():
            if key in _XMP_NAMES and value.strip():
                yield _XMP_NAMES[key], value.strip()


def _iptc(image: ImageFile.ImageFile) -> Iterator[tuple[str, str]]:
    found = IptcImagePlugin.getiptcinfo(image) or {}
    for number, name in _IPTC_NAMES.items():
        given = found.get((2, number), [])
        parts = [_decoded(part) for part in (given if isinstance(given, list) else [given])]
        if value := ", ".join(part for part in parts if part):
            yield name, value


def _decoded(text: bytes) -> str:
    """Most programs write UTF-8, whether or not they say so; old ones Windows-1252."""
    try:
        return text.decode("utf-8").strip("\0 ")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace").strip("\0 ")
