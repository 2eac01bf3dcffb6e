"""The centres of an inverted file's lists, by k-means on a sample; on a GPU where FAISS finds one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import faiss

from clipsearch.types import Vectors

SAMPLE_PER_LIST = 40
"""Vectors a list that k-means looks at; FAISS asks for 39 at least."""

_ITERATIONS = 8

_GRAPH_FROM = 8192
"""From this many centres on, a graph (HNSW; Malkov and Yashunin 2016) finds the nearest quicker than comparing all."""

_GRAPH_LINKS, _GRAPH_BUILD, _GRAPH_SEARCH = 32, 80, 256


def has_gpu() -> bool:
    """Whether this FAISS can compute on a GPU here."""
    return hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0


def train_centroids(sample: Vectors, count: int) -> Vectors:
    """`count` centres of a sample, float32 [count, dim], by k-means (Lloyd 1982)."""
    kmeans = faiss.Kmeans(
        sample.shape[1],
        count,
        niter=_ITERATIONS,
        gpu=has_gpu(),
        seed=1,
        min_points_per_centroid=1,
        max_points_per_centroid=SAMPLE_PER_LIST,
    )
    kmeans.train(sample)
    centroids: Vectors = kmeans.centroids.reshape(count, sample.shape[1])
    return centroids


def quantizer(centroids: Vectors) -> Any:
    """A FAISS index over the centres, by inner product."""
    count, dim = centroids.shape
    if count < _GRAPH_FROM:
        index = faiss.IndexFlatIP(dim)
    else:
        index = faiss.IndexHNSWFlat(dim, _GRAPH_LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = _GRAPH_BUILD
        index.hnsw.efSearch = _GRAPH_SEARCH
    index.add(centroids)
    return index


@contextmanager
def assigning_on_gpu(inverted_file: Any, centroids: Vectors) -> Iterator[None]:
    """Let a GPU, where there is one, find the list of each vector added meanwhile."""
    if not has_gpu():
        yield
        return
    on_gpu = faiss.GpuIndexFlatIP(faiss.StandardGpuResources(), centroids.shape[1])
    on_gpu.add(centroids)
    on_cpu = inverted_file.quantizer
    inverted_file.quantizer = on_gpu
    try:
        yield
    finally:
        inverted_file.quantizer = on_cpu
