"""The centres of an inverted file's lists, by spherical k-means; on a GPU where FAISS finds one.

Centres are brought to length one (spherical k-means; Dhillon and Modha 2001), since lists are chosen by inner product:
long centres would draw queries and vectors that belong elsewhere. Very many are found in two levels, clusters first and
then clusters within each, at a hundredth of the cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np

from clipsearch.ann.gpu import flat_on_gpu, has_gpu, knn
from clipsearch.types import Vectors

SAMPLE_PER_LIST = 100
"""Vectors a list that k-means looks at; FAISS asks for 39 at least. With 100 an eighth fewer codes are searched."""

_AT_ONCE = 4096
"""Centres up to which k-means finds all of them at once."""

_MANY, _REFINED = 1024, 2.0
"""From so many centres on the nearest are found by codes, so many times as many as wanted, which are then compared."""

_ITERATIONS = 10
_COARSE_SAMPLE = 40_000

_GRAPH_LINKS, _GRAPH_BUILD, _GRAPH_SEARCH = 32, 80, 48


def train_centroids(sample: Vectors, count: int) -> Vectors:
    """About `count` centres of a sample of unit vectors, float32 [n, dim] of norm 1."""
    if count <= _AT_ONCE:
        return _kmeans(sample, min(count, len(sample)))
    groups = _kmeans(sample[:: max(1, len(sample) // _COARSE_SAMPLE)], round(math.sqrt(count)))
    nearest = knn(sample, groups, 1)[1][:, 0]
    centres = []
    for group in range(len(groups)):
        members = np.ascontiguousarray(sample[nearest == group])
        if len(members):
            share = max(1, round(count * len(members) / len(sample)))
            centres.append(_kmeans(members, min(share, len(members))))
    return np.concatenate(centres)


def _kmeans(sample: Vectors, count: int) -> Vectors:
    """`count` centres by k-means (Lloyd 1982), of length one."""
    kmeans = faiss.Kmeans(
        sample.shape[1],
        count,
        niter=_ITERATIONS,
        gpu=has_gpu(),
        seed=1,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=1 << 20,
    )
    kmeans.train(np.ascontiguousarray(sample))
    centroids: Vectors = kmeans.centroids.reshape(count, sample.shape[1])
    return centroids


def quantizer(centroids: Vectors) -> Any:
    """A FAISS index over the centres, by inner product. It compares all of them, since texts lie where no graph leads
    to the nearest; very many by codes first, and the best of those exactly, in a third of the time."""
    dim = centroids.shape[1]
    exact = faiss.IndexFlatIP(dim)
    if len(centroids) < _MANY:
        exact.add(centroids)
        return exact
    codes = faiss.IndexPQFastScan(dim, dim // 2, 4, faiss.METRIC_INNER_PRODUCT)
    index = faiss.IndexRefine(codes, exact)
    index.k_factor, index.own_fields, index.own_refine_index = _REFINED, True, True
    codes.this.disown()
    exact.this.disown()
    index.train(centroids)
    index.add(centroids)
    return index


def centroids_of(quantizer: Any) -> Vectors:
    """The centres in a quantizer, float32 [n, dim]."""
    centroids: Vectors = quantizer.reconstruct_n(0, quantizer.ntotal)
    return centroids


@contextmanager
def quick_assignment(inverted_file: Any) -> Iterator[None]:
    """Find the list of each vector added meanwhile on a GPU where there is one, else through a graph over the centres
    (HNSW; Malkov and Yashunin 2016), which serves vectors like those the centres were made from."""
    centroids = centroids_of(inverted_file.quantizer)
    dim = centroids.shape[1]
    if has_gpu():
        quick = flat_on_gpu(dim)
    else:
        quick = faiss.IndexHNSWFlat(dim, _GRAPH_LINKS, faiss.METRIC_INNER_PRODUCT)
        quick.hnsw.efConstruction, quick.hnsw.efSearch = _GRAPH_BUILD, _GRAPH_SEARCH
    quick.add(centroids)
    exact = inverted_file.quantizer
    inverted_file.quantizer = quick
    try:
        yield
    finally:
        inverted_file.quantizer = exact
