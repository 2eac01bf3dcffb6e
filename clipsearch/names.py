"""Names of files as the index stores them."""

from __future__ import annotations

import re

_PRIVATE = 0x10FF00
_UNSTORABLE = re.compile("[\udc80-\udcff]|[\U0010ff80-\U0010ffff]")
_STANDS_FOR_A_BYTE = re.compile("[\U0010ff80-\U0010ffff]")


def to_stored(name: str) -> str:
    """Turn a file name as Python gives it into text that Parquet and DuckDB accept.

    A name that is not valid UTF-8 reaches Python with one lone surrogate (U+DC80..U+DCFF) for each odd byte, which
    no database stores. Each becomes the private-use character U+10FF00 + byte; every other name is returned as it is.
    """
    return _UNSTORABLE.sub(_escape, name)


def from_stored(stored: str) -> str:
    """Turn a stored name back into the one the file system knows; the inverse of `to_stored`."""
    if not _STANDS_FOR_A_BYTE.search(stored):
        return stored
    surrogates = _STANDS_FOR_A_BYTE.sub(lambda found: chr(ord(found[0]) - _PRIVATE + 0xDC00), stored)
    # Through bytes and back, so that a name which really holds one of these private characters is itself again.
    return surrogates.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _escape(found: re.Match[str]) -> str:
    return "".join(chr(_PRIVATE + byte) for byte in found[0].encode("utf-8", "surrogateescape"))
