"""How many threads FAISS takes for a piece of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import faiss

_LITTLE = 32_768
"""Vectors compared on one thread: to wake others takes longer, and OpenMP's then wait by spinning, which takes the
processor from whatever comes next."""


@contextmanager
def threads_for(comparisons: float) -> Iterator[None]:
    """Let FAISS use one thread for little work, in this thread; all it has for more."""
    before = faiss.omp_get_max_threads()
    if comparisons > _LITTLE or before == 1:
        yield
        return
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
