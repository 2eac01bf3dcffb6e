"""Reading FAISS's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss

from clipsearch.errors import IndexDamaged


def read_index(path: Path, flags: int = 0) -> Any:
    """Read a FAISS index.

    Raises:
        IndexDamaged: the file is missing or unreadable.
    """
    try:
        return faiss.read_index(str(path), flags)
    except RuntimeError:
        raise IndexDamaged(f"{path} cannot be read; run `clipsearch repair --index {path.parent}`.") from None
