"""What is evaluated: an index, its model, and the texts and pictures drawn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clipsearch.evaluation.collection import Collection, drawn
from clipsearch.evaluation.judgments import Judgments
from clipsearch.evaluation.ranks import Judged, Scores, judged, pair_scores, ranks_of
from clipsearch.query.embed import text_vectors
from clipsearch.types import Encoder, Ids, Tell, Vectors

_TEXTS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Subject:
    """An index with what is known to be right in it. `tell` hears of the work."""

    collection: Collection
    encoder: Encoder
    judgments: Judgments | None
    tell: Tell

    @cached_property
    def text_vectors(self) -> Vectors:
        """The judged texts, embedded as a search embeds them, float32 [n, dim]; none without judgments."""
        return self.embedded(self.judgments.texts if self.judgments else (), templates=True)

    @cached_property
    def text_ranks(self) -> Ids:
        """The rank of every judged pair among all pictures of the index, int64 [m]."""
        assert self.judgments is not None
        pairs = self.judgments.pairs
        scores = pair_scores(self.text_vectors, pairs, self.collection.vectors_of(pairs.documents))
        return ranks_of(self.text_vectors, pairs, scores, self.collection.blocks())

    def embedded(self, texts: Sequence[str], *, templates: bool = False) -> Vectors:
        """Unit vectors of texts, float32 [n, dim]; with `templates` bare concepts are asked for in several ways."""
        parts = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            self.tell("embedding texts", start, len(texts))
            parts.append(text_vectors(self.encoder, texts[start : start + _TEXTS_AT_ONCE], templates=templates))
        return np.concatenate(parts) if parts else np.empty((0, self.encoder.dim), np.float32)

    def drawn(self, count: int) -> Ids:
        """At most `count` pictures, drawn at random but always the same; of judged ones, where there are any."""
        among = np.unique(self.judgments.pairs.documents) if self.judgments else self.collection.ids
        return drawn(among, count)

    def ranks_for(self, pairs: Judged, scores: Scores) -> Ids:
        """The rank each judged pair would have among all pictures of the index if it had the given score."""
        return ranks_of(self.text_vectors, pairs, scores, self.collection.blocks())

    def pairs_of(self, pictures: Ids) -> Judged:
        """The judged pairs of some pictures."""
        assert self.judgments is not None
        pairs = self.judgments.pairs
        kept = np.isin(pairs.documents, pictures)
        return judged(pairs.queries[kept], pairs.documents[kept], pairs.grades[kept])
