"""What becomes of a search when the same is asked in other words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

from clipsearch.evaluation.collection import drawn
from clipsearch.evaluation.metrics import first_ranks, recall_at
from clipsearch.evaluation.ranks import judged, pair_scores, ranks_of
from clipsearch.evaluation.subject import Subject
from clipsearch.evaluation.types import Reworded
from clipsearch.types import Ids, Vectors

_TEXTS = 200
_K = 10
_ARTICLES = re.compile(r"\b(?:an?|the)\s+", re.IGNORECASE)
_SMALL_WORDS = re.compile(
    r"\b(?:an?|the|of|in|on|at|to|and|with|for|from|by|is|are|was|were|its?|his|her|their|that|this|there|as)\b",
    re.IGNORECASE,
)


def _without(pattern: re.Pattern[str], text: str) -> str:
    return " ".join(pattern.sub(" ", text).split()) or text


def _typo(text: str) -> str:
    """Two letters in the middle of the longest word changed places."""
    word = max(text.split(), key=len)
    middle = len(word) // 2
    if middle < 1 or len(word) < 2:
        return text
    swapped = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
    return text.replace(word, swapped, 1)


def _toggled_stop(text: str) -> str:
    return text.rstrip(" .") if text.endswith(".") else f"{text}."


WORDINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "lower case": str.lower,
    "upper case": str.upper,
    "full stop": _toggled_stop,
    "a photo of": lambda text: f"a photo of {text[:1].lower()}{text[1:]}",
    "no articles": lambda text: _without(_ARTICLES, text),
    "keywords": lambda text: _without(_SMALL_WORDS, text),
    "one typo": _typo,
}
"""Ways to put a text, by name; the first is what all are compared with."""


def wordings(subject: Subject) -> tuple[Reworded, ...]:
    """The table of all wordings, of at most 200 judged texts; `subject` has judgments."""
    assert subject.judgments is not None
    texts, rows = subject.judgments.texts, drawn(np.unique(subject.judgments.pairs.queries), _TEXTS)
    plain = subject.embedded([texts[row] for row in rows])
    nearest = _nearest(subject, plain)
    table = []
    for name, reword in WORDINGS.items():
        asked = [reword(texts[row]) for row in rows]
        vectors = subject.embedded(asked)
        same = [len(np.intersect1d(*both)) for both in zip(nearest, _nearest(subject, vectors), strict=True)]
        cosine, overlap = np.einsum("ij,ij->i", plain, vectors).mean(), np.sum(same) / max(nearest.size, 1)
        recall = _recall(subject, rows, vectors)
        table.append(Reworded(name, len(rows), float(cosine), float(overlap), recall, asked[0]))
    return tuple(table)


def _nearest(subject: Subject, vectors: Vectors) -> Ids:
    return subject.collection.snapshot.nearest(vectors, _K).ids


def _recall(subject: Subject, rows: Ids, vectors: Vectors) -> float:
    """R@5 where the texts in `rows` have these vectors."""
    assert subject.judgments is not None
    pairs = subject.judgments.pairs
    kept = np.isin(pairs.queries, rows)
    own = judged(np.searchsorted(rows, pairs.queries[kept]), pairs.documents[kept], pairs.grades[kept])
    scores = pair_scores(vectors, own, subject.collection.vectors_of(own.documents))
    return recall_at(first_ranks(own.queries, ranks_of(vectors, own, scores, subject.collection.blocks())), 5)
