"""Words on the page."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def pictures(count: int) -> str:
    """So many pictures."""
    return f"{count:,} picture{'' if count == 1 else 's'}"


def size(count: float) -> str:
    """A number of bytes as a person reads it: 1.2 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
