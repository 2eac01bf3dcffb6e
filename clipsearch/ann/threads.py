"""How many threads a piece of work takes: FAISS's number is everybody's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import faiss

T = TypeVar("T")
R = TypeVar("R")

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


def in_threads(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """`work` on each item, in their order; on as many threads as FAISS has, each with FAISS to itself."""
    threads = min(len(items), faiss.omp_get_max_threads())
    if threads <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads, initializer=faiss.omp_set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(work, items))
