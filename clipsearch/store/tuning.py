"""Tuning a trained index on queries that resemble real ones: pictures of the collection, and texts."""

from __future__ import annotations

import time

import numpy as np

from clipsearch.ann.exact import decoded, nearest_of_all, nearest_rows
from clipsearch.ann.recipes import OperatingPoint
from clipsearch.ann.trained import TrainedIndex
from clipsearch.ann.tuning import DEPTHS, Trial, tune
from clipsearch.store.layout import Layout
from clipsearch.store.manifest import Manifest
from clipsearch.store.places import Places
from clipsearch.store.probes import read_probes
from clipsearch.types import Ids, Vectors

_QUERIES = 300
_SEED = 2
_TIMED = 50

_MEANT = 0.5
"""The part of a made text query that points to a picture; such queries then need somewhat more lists than the texts of
`tests/benchmarks/search`, which are fitted to a real model's."""


def tuned(
    layout: Layout, manifest: Manifest, places: Places, index: TrainedIndex
) -> tuple[tuple[OperatingPoint, ...], float]:
    """How far to look in a trained index for the wanted recall, and the milliseconds a query then takes."""
    ids = places.ids()
    chosen = np.sort(np.random.default_rng(_SEED).choice(ids, min(_QUERIES, len(ids)), replace=False))
    pictures = decoded(places.vectors_of(chosen))
    texts = _texts(layout, manifest, pictures)
    _, truth = nearest_of_all(np.concatenate([pictures, texts]), places.blocks(ids), DEPTHS[-1] + 1)
    trials = [
        Trial(pictures, _without_self(truth[: len(pictures)], chosen), chosen),
        Trial(texts, truth[len(pictures) :, :-1]),
    ]
    points = tune(index, trials, manifest.rows, manifest.tuning.recall)
    return points, _milliseconds(index, places, np.concatenate([pictures[:_TIMED], texts[:_TIMED]]), points[0])


def _texts(layout: Layout, manifest: Manifest, pictures: Vectors) -> Vectors:
    """Text queries: the probes the model embedded, or, without any, directions that only partly point to a picture."""
    probes = read_probes(layout.path, manifest.model.fingerprint)
    if probes is not None:
        return np.ascontiguousarray(probes.vectors[:_QUERIES])
    towards = _unit(pictures - pictures.mean(axis=0))
    noise = _unit(np.random.default_rng(_SEED).normal(size=pictures.shape).astype(np.float32))
    return _unit(np.float32(_MEANT) * towards + np.float32(np.sqrt(1 - _MEANT**2)) * noise)


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.ascontiguousarray(vectors / lengths, dtype=np.float32)


def _without_self(truth: Ids, ids: Ids) -> Ids:
    """Each row's nearest without the picture asked with."""
    others = [row[row != own][: truth.shape[1] - 1] for row, own in zip(truth, ids, strict=True)]
    return np.stack(others)


def _milliseconds(index: TrainedIndex, places: Places, queries: Vectors, point: OperatingPoint) -> float:
    """Median milliseconds of one query: candidates found and scored."""
    times = []
    for query in queries:
        begun = time.perf_counter()
        found = index.candidates(query[None], point.candidates, point)[0]
        nearest_rows(query[None], places.as_stored(found[found >= 0])[1], point.k)
        times.append(time.perf_counter() - begun)
    return float(np.median(times)) * 1000
