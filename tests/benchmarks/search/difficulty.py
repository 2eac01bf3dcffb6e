"""Figures that say how hard a set of vectors is to search."""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np

from .vectors import Floats

PROBED = (0.02, 0.05, 0.10)


@dataclass(frozen=True, slots=True)
class Difficulty:
    """One kind of query against one set of vectors. Quantiles are the 10th, 50th and 90th of the queries."""

    mean: float  # cosine of a random query and a random row
    top1: tuple[float, float, float]
    top10: tuple[float, float, float]
    lead: float  # (top-1 - mean) / standard deviation of a query's cosines; median
    dimension: float  # local intrinsic dimension, Levina and Bickel 2004, of the 20 nearest; median
    recall: tuple[float, ...]  # recall@10 of IVF when PROBED of the lists are visited
    scanned: float  # mean number of lists that hold a query's 10 nearest


def difficulty(base: Floats, queries: Floats, lists: int) -> Difficulty:
    """Measure `queries` [m, d] against `base` [n, d], both float32 of norm 1, with an IVF of `lists` lists."""
    cosines = queries @ base.T
    order = np.argsort(-cosines, axis=1)[:, :20]
    top = np.take_along_axis(cosines, order, axis=1)
    lead = (top[:, 0] - cosines.mean(1)) / cosines.std(1)
    distance = np.sqrt(np.maximum(2 - 2 * top, 1e-9))
    dimension = 1 / np.mean(np.log(distance[:, -1:] / distance[:, :-1]), axis=1)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(base.shape[1]), base.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.spherical = 1, True
    index.train(base)
    index.add(base)
    _, home = index.quantizer.search(base, 1)
    recall = []
    for part in PROBED:
        index.nprobe = max(1, round(part * lists))
        found = index.search(queries, 10)[1]
        recall.append(float(np.mean([np.isin(f, t).mean() for f, t in zip(found, order[:, :10], strict=True)])))
    spread = float(np.mean([len(np.unique(home[t, 0])) for t in order[:, :10]]))
    return Difficulty(
        float(cosines.mean()),
        _quantiles(top[:, 0]),
        _quantiles(top[:, 9]),
        float(np.median(lead)),
        float(np.median(dimension)),
        tuple(recall),
        spread,
    )


def _quantiles(values: Floats) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    return float(low), float(middle), float(high)


def spectrum(base: Floats) -> tuple[float, tuple[float, ...]]:
    """Participation ratio of the covariance's eigenvalues, (sum l)^2 / sum l^2, and the variance that the first 1, 10,
    50 and 100 hold."""
    values = np.linalg.eigvalsh(np.cov(base, rowvar=False))[::-1]
    share = np.cumsum(values) / values.sum()
    return float(values.sum() ** 2 / (values**2).sum()), tuple(float(share[i - 1]) for i in (1, 10, 50, 100))
