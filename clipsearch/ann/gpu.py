"""A GPU where FAISS finds one: exact neighbours, k-means and assignment to lists go there."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

import faiss

from clipsearch.types import Ids, Vectors

_DEEPEST = 2048
"""Neighbours that FAISS's GPU kernels find at most (faiss wiki, "Faiss on the GPU")."""

_LOCK = Lock()  # one search at a time may use a GPU's scratch memory


def has_gpu() -> bool:
    """Whether this FAISS can compute on a GPU here."""
    return hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0


def flat_on_gpu(dim: int) -> Any:
    """An empty exact index by inner product on the GPU."""
    return faiss.GpuIndexFlatIP(_resources(), dim)


def knn(queries: Vectors, vectors: Vectors, k: int) -> tuple[Vectors, Ids]:
    """The `k` of `vectors`, float32 [m, dim], nearest to each query, float32 [n, dim], by brute force: inner products
    float32 [n, k] and row numbers int64 [n, k], best first. On a GPU where there is one."""
    if has_gpu() and k <= _DEEPEST:
        with _LOCK:
            scores, rows = faiss.knn_gpu(_resources(), queries, vectors, k, metric=faiss.METRIC_INNER_PRODUCT)
    else:
        scores, rows = faiss.knn(queries, vectors, k, metric=faiss.METRIC_INNER_PRODUCT)
    return scores, rows


@cache
def _resources() -> Any:
    return faiss.StandardGpuResources()
