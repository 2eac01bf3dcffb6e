"""Why a picture could not be decoded: it ends too early, or what is there is wrong."""

from __future__ import annotations

from clipsearch.errors import PictureError

_PHRASES = ("truncated", "unexpected end", "end of file", "not enough data")


def damage(error: Exception, content: bytes) -> PictureError:
    """Turn whatever a decoder raised on `content` into a `PictureError`, "truncated" or "corrupt"."""
    text = str(error)
    said = isinstance(error, EOFError) or any(phrase in text.lower() for phrase in _PHRASES)
    if said or _announced_size(content) > len(content):
        return PictureError("truncated", "The file ends before the picture does; copy it again from where it came.")
    return PictureError("corrupt", f"The picture is damaged ({text or type(error).__name__}); copy it again.")


def _announced_size(content: bytes) -> int:
    """How many bytes a file should have at the least, by its container's own account; 0 where it does not say."""
    if content[:4] == b"RIFF":  # WebP
        return 8 + int.from_bytes(content[4:8], "little")
    if content[:4] in (b"II*\0", b"MM\0*"):  # TIFF, whose directory often comes last
        return 2 + int.from_bytes(content[4:8], "little" if content[:1] == b"I" else "big")
    if content[4:8] in (b"ftyp", b"jP  "):  # HEIF, AVIF, JPEG 2000
        return _end_of_boxes(content)
    return 0


def _end_of_boxes(content: bytes) -> int:
    place = 0
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        if size == 1:  # the real size follows in 64 bits
            size = int.from_bytes(content[place + 8 : place + 16], "big")
        if size < 8:  # 0: up to the end of the file, however long that is
            return 0
        place += size
    return place
