"""Where a page ends, as text that the next request gives back."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from clipsearch.errors import QueryError


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the results of one query on one published version: `position` results came before it."""

    version: str
    query: str
    position: int

    def __str__(self) -> str:
        plain = json.dumps([self.version, self.query, self.position], separators=(",", ":"))
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def position_of(cursor: str | None, version: str, query: str) -> int:
    """How many results come before a page; 0 without a cursor.

    Raises:
        QueryError: it is no cursor, or one of another query or version.
    """
    if cursor is None:
        return 0
    found = _read(cursor)
    if found.query != query:
        raise QueryError("The page cursor belongs to another query; repeat the query it came with, word for word.")
    if found.version != version:
        raise QueryError(
            f"The page cursor belongs to version {found.version} of the index, which is now at {version}; ask again "
            f"from the first page."
        )
    return found.position


def _read(cursor: str) -> Cursor:
    try:
        match json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))):
            case [str(version), str(query), int(position)] if position >= 0:
                return Cursor(version, query, position)
    except (ValueError, binascii.Error):
        pass
    raise QueryError("This is no page cursor; give back what the page before ended with, or leave it out.")
