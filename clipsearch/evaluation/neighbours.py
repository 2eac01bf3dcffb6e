"""What the index's search finds of what looking at every vector finds."""

from __future__ import annotations

import time

import numpy as np

from clipsearch.ann.exact import nearest_of_all
from clipsearch.evaluation.ranks import SAME
from clipsearch.evaluation.subject import Subject
from clipsearch.evaluation.types import Neighbours
from clipsearch.store.probes import read_probes
from clipsearch.types import Vectors

_QUERIES = 300
_K = 10


def neighbours(subject: Subject) -> Neighbours:
    """Recall of the ten nearest for queries by picture and by text, at most 300 of each.

    Pictures are drawn from the index and search it for their like. Texts are the judged ones; without any, the probe
    texts that the index keeps.
    """
    snapshot = subject.collection.snapshot
    queries = {"pictures": subject.collection.vectors_of(subject.drawn(_QUERIES)).astype(np.float32)}
    if len(texts := _texts(subject)):
        queries["texts"] = texts
    recall, seconds = {}, 0.0
    for number, (kind, vectors) in enumerate(queries.items()):
        subject.tell("search against every vector", number, len(queries))
        snapshot.nearest(vectors[:1], _K)  # reads what the first search of all has to
        start = time.perf_counter()
        found = [snapshot.nearest(vector[None], _K).scores[0] for vector in vectors]
        seconds += time.perf_counter() - start
        recall[kind] = _recall(found, _exact_scores(subject, vectors))
    counts = {kind: len(vectors) for kind, vectors in queries.items()}
    milliseconds = 1000 * seconds / sum(counts.values())
    return Neighbours(counts, recall, milliseconds, snapshot.manifest.trained is None)


def _texts(subject: Subject) -> Vectors:
    if subject.judgments:
        return subject.text_vectors[:_QUERIES]
    snapshot = subject.collection.snapshot
    model = snapshot.manifest.model
    probes = read_probes(snapshot.layout.path, model.fingerprint)
    return probes.vectors[:_QUERIES] if probes else np.empty((0, model.dim), np.float32)


def _exact_scores(subject: Subject, queries: Vectors) -> Vectors:
    places = subject.collection.snapshot.places
    return nearest_of_all(queries, places.blocks(places.ids()), _K)[0]


def _recall(found: list[Vectors], exact: Vectors) -> float:
    """Share of found pictures that are as near as the last of the exact ones: of equals any will do."""
    hits = [np.count_nonzero(scores >= best[-1] - SAME) for scores, best in zip(found, exact, strict=True)]
    return float(sum(hits) / exact.size)
