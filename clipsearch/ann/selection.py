"""Which ids a search may return."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

from clipsearch.types import Ids


class Selection:
    """A set of ids as a bitmap, which FAISS asks for each vector it comes upon."""

    def __init__(self, allowed: NDArray[np.bool_]) -> None:
        """`allowed` says of each id from 0 on whether it may be returned; ids beyond its end may not."""
        self._bits = np.packbits(allowed, bitorder="little")
        self.selector = faiss.IDSelectorBitmap(self._bits)

    @classmethod
    def of(cls, ids: Ids) -> Selection:
        """The selection of these ids."""
        allowed = np.zeros(int(ids.max(initial=-1)) + 1, dtype=bool)
        allowed[ids] = True
        return cls(allowed)
