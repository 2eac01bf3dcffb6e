"""How many threads FAISS takes for a piece of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import faiss

LITTLE = 32_768
"""Vectors compared on one thread: to wake others takes longer, and OpenMP's then wait by spinning, which takes the
processor from whatever comes next."""


@contextmanager
def one_thread(little: bool) -> Iterator[None]:
    """Have FAISS use one thread for `little` work, in this thread; for more all it has."""
    before = faiss.omp_get_max_threads()
    if not little or before == 1:
        yield
        return
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
