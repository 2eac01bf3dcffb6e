"""Files that are whole or absent, whenever the power fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clipsearch.store.layout import replacing


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yields a path to write to, and moves it over `target` once it is on the disk."""
    tmp = target.parent / ".tmp"
    with replacing(target, tmp) as draft:
        yield draft
    with suppress(OSError):  # another file is being written
        tmp.rmdir()
