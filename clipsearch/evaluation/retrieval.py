"""How well texts find their pictures, and pictures their texts.

Texts are asked against every picture of the index, pictures against all judged texts. A picture may have several
texts and a text several pictures; each query counts with its best answer, in nDCG with all of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clipsearch.evaluation.metrics import first_ranks, rank_measures
from clipsearch.evaluation.ranks import Blocks, Judged, firsts, pair_scores, ranks_of
from clipsearch.evaluation.subject import Subject
from clipsearch.evaluation.types import Direction, Miss, Retrieval, Shown
from clipsearch.types import Ids, Vectors

WORST = 12
"""How many failures of a kind are shown."""


def retrieval(subject: Subject) -> Retrieval:
    """Measure both directions; `subject` has judgments."""
    subject.tell("retrieval", 0, 2)
    text_to_image = _text_to_image(subject)
    subject.tell("retrieval", 1, 2)
    return Retrieval(text_to_image, _image_to_text(subject))


def _text_to_image(subject: Subject) -> Direction:
    assert subject.judgments is not None
    texts, pairs, collection = subject.judgments.texts, subject.judgments.pairs, subject.collection
    worst = _worst(pairs, subject.text_ranks, subject.text_vectors, collection.blocks())
    return Direction(
        len(np.unique(pairs.queries)),
        len(collection.ids),
        rank_measures(pairs.queries, subject.text_ranks, pairs.grades),
        _misses(pairs, subject.text_ranks, worst, texts.__getitem__, collection.shown),
    )


def _image_to_text(subject: Subject) -> Direction:
    assert subject.judgments is not None
    texts, collection = subject.judgments.texts, subject.collection
    pictures, pairs = subject.judgments.pairs.swapped()
    queries = collection.vectors_of(pictures).astype(np.float32)
    all_texts = [(np.arange(len(texts)), subject.text_vectors)]
    scores = pair_scores(queries, pairs, subject.text_vectors[pairs.documents])
    ranks = ranks_of(queries, pairs, scores, all_texts)
    worst = _worst(pairs, ranks, queries, all_texts)
    measures = rank_measures(pairs.queries, ranks, pairs.grades)
    found = _misses(pairs, ranks, worst, lambda row: collection.shown(int(pictures[row])), texts.__getitem__)
    return Direction(len(pictures), len(texts), measures, found)


def _worst(pairs: Judged, ranks: Ids, queries: Vectors, documents: Blocks) -> dict[int, int]:
    """The queries whose best answer comes last, each with the document that came first."""
    distinct, first = np.unique(pairs.queries), first_ranks(pairs.queries, ranks)
    chosen = [row for row in np.argsort(-first, kind="stable")[:WORST] if first[row] > 1]
    rows = distinct[chosen]
    return dict(zip(rows.tolist(), firsts(queries[rows], documents).tolist(), strict=True))


def _misses(
    pairs: Judged,
    ranks: Ids,
    worst: dict[int, int],
    query: Callable[[int], str | Shown],
    document: Callable[[int], str | Shown],
) -> tuple[Miss, ...]:
    found = []
    for row, first in worst.items():
        start, stop = np.searchsorted(pairs.queries, [row, row + 1])
        best = start + int(np.argmin(ranks[start:stop]))
        found.append(Miss(query(row), document(int(pairs.documents[best])), document(first), int(ranks[best])))
    return tuple(found)
