"""What one server of the page serves, and to whom."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from clipsearch.known import known


@dataclass(frozen=True, slots=True)
class Serving:
    """What a server may do.

    Attributes:
        index: the index directory it was started for.
        local: only this machine reaches it, so whoever uses it may as well start programs here: index folders, open
            them on the desktop, look at the other indexes of this user.
        urls: pictures to search by may be fetched from the web.
    """

    index: Path
    local: bool = True
    urls: bool = False

    @property
    def indexes(self) -> tuple[Path, ...]:
        """The indexes that may be looked at, its own first."""
        others = known() if self.local else ()
        return (self.index, *(path for path in others if path != self.index))

    def find(self, key: str | None) -> Path | None:
        """The one of them that `key_of` gives this name."""
        if key == key_of(self.index):  # as for nearly every picture
            return self.index
        return next((path for path in self.indexes if key_of(path) == key), None)


def key_of(index: Path) -> str:
    """A short name for an index directory in addresses, which says nothing of where it is."""
    return hashlib.blake2b(str(index).encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


_SERVING: list[Serving] = []


def serve(serving: Serving) -> None:
    """Say what this process serves, before it does."""
    _SERVING[:] = [serving]


def serving() -> Serving:
    """What this process serves."""
    return _SERVING[0]
