"""Words on the page."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def pictures(count: int) -> str:
    """So many pictures."""
    return f"{count:,} picture{'' if count == 1 else 's'}"
