"""The nearest of a few thousand fixed vectors, for very many others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import faiss
import numpy as np

from clipsearch.ann.exact import decoded
from clipsearch.ann.gpu import has_gpu, knn
from clipsearch.ann.threads import one_thread
from clipsearch.types import Ids, StoredVectors, Vectors

_FEW = 32_768
"""Up to so many are compared with all of them: to build the graph takes as long."""

_LINKS, _BUILD, _SEARCH = 16, 40, 12


def neighbours_among(vectors: StoredVectors, k: int) -> Ids:
    """Row numbers of the `k` nearest others of each vector, [n, dim] with n > k, by inner product; int64 [n, k]."""
    floats = decoded(vectors)
    found = knn(floats, floats, k + 1)[1]
    others = found != np.arange(len(found))[:, None]
    others[others.all(axis=1), -1] = False  # among many equal ones it may not have found itself
    neighbours: Ids = found[others].reshape(len(found), k)
    return neighbours


def nearest_landmarks(
    landmarks: StoredVectors, blocks: Iterable[tuple[Ids, StoredVectors]], count: int, k: int
) -> Iterator[tuple[Ids, Vectors, Ids]]:
    """For blocks of `count` vectors in all: their ids, and of the `k` nearest landmarks [m, dim] the inner products
    float32 [n, k] and row numbers int64 [n, k], best first.

    Many are looked up through a graph (HNSW; Malkov and Yashunin 2016), which finds nine in ten of the nearest.
    """
    if count <= _FEW or has_gpu():
        floats = decoded(landmarks)
        for ids, vectors in blocks:
            yield ids, *knn(decoded(vectors), floats, k)
        return
    graph = faiss.IndexHNSWSQ(landmarks.shape[1], faiss.ScalarQuantizer.QT_fp16, _LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction, graph.hnsw.efSearch = _BUILD, _SEARCH
    with one_thread(True):  # in threads the graph comes out another each time
        graph.train(decoded(landmarks[:1]))
        graph.add(decoded(landmarks))
    for ids, vectors in blocks:
        yield ids, *graph.search(decoded(vectors), k)
