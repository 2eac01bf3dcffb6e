"""A segment's vectors on the disk."""

from __future__ import annotations

import numpy as np

from clipsearch.errors import IndexDamaged
from clipsearch.store.layout import Layout
from clipsearch.types import StoredVectors

VECTORS = "vectors.npy"


def load_vectors(layout: Layout, segment: str) -> StoredVectors:
    """A segment's vectors, float16 [n, dim], memory-mapped.

    Raises:
        IndexDamaged: the file is missing or no array.
    """
    path = layout.segments / segment / VECTORS
    try:
        # NumPy cannot map an array of no bytes.
        empty = path.stat().st_size <= 128
        vectors: StoredVectors = np.load(path) if empty else np.load(path, mmap_mode="r")
        return vectors
    except (OSError, ValueError, EOFError):
        raise IndexDamaged(f"{path} cannot be read; run `clipsearch repair --index {layout.path}`.") from None
