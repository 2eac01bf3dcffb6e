"""Does relevance tell what is there from what is not as well for two spaces fused as for each alone? On the gallery.

    python tests/benchmarks/fused_relevance.py mini OTHER

As `relevance.py`: every text is asked of the whole collection, and of the collection without the pictures that match
it; of each model's vectors alone, and of both with equal weights. `docs/relevance.md` has the table.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[2]))

from clipsearch.models import load_encoder
from clipsearch.models.probes import probe_texts
from clipsearch.query.embed import text_vectors
from clipsearch.query.fused_relevance import FusedRelevance
from clipsearch.query.relevance import CUT_OFF
from clipsearch.store.background import Background, measure
from clipsearch.store.probes import Probes
from tests.benchmarks.relevance import TOP, Answer, Collection, Mask, auc, best_relevance, gallery


@dataclass(frozen=True)
class Kept:
    """Some of the pictures as one space of an index: what `FusedRelevance` asks of `OneSpace`. Ids are rows."""

    vectors: np.ndarray
    probes: np.ndarray
    background: Background

    def probe_vectors(self) -> np.ndarray:
        return self.probes

    def vectors_or_zero(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.vectors[ids], np.ones(len(ids), bool)

    def as_queries(self, ids: np.ndarray) -> np.ndarray:
        return self.vectors[ids]

    def standing(self, query: np.ndarray) -> np.ndarray:
        return self.background.pictures.standing(self.vectors @ query, query[None], np.zeros(len(self.vectors), int))


def spaces_of(collections: Sequence[Collection], probes: Sequence[np.ndarray], kept: Mask) -> FusedRelevance:
    spaces = []
    for collection, texts in zip(collections, probes, strict=True):
        background = measure(collection.vectors[kept], Probes(texts, ""), rows=int(kept.sum()), next_id=len(kept))
        spaces.append(Kept(collection.vectors.astype(np.float32), texts, background))
    return FusedRelevance(tuple(spaces), (1.0,) * len(spaces), np.flatnonzero(kept))


def answer(collections: Sequence[Collection], number: int, kept: Mask, fused: FusedRelevance) -> Answer:
    queries = [collection.queries[number] for collection in collections]
    score = sum(space.standing(query.vector) for space, query in zip(fused.spaces, queries, strict=True))
    best = np.argsort(np.where(kept, -score, np.inf), kind="stable")[: min(TOP, int(kept.sum()))]
    said = fused([query.vector[None] for query in queries], best, int(kept.sum()), has_text=True)
    assert said is not None
    matches = queries[0].matches
    return Answer(queries[0].group, bool((matches & kept).any()), score[best], said, matches[best])


def answers(collections: Sequence[Collection], probes: Sequence[np.ndarray]) -> list[Answer]:
    whole = np.ones(len(collections[0].vectors), bool)
    everything = spaces_of(collections, probes, whole)
    found = []
    for number, query in enumerate(collections[0].queries):
        if query.by_text:
            found.append(answer(collections, number, whole, everything))
            if 0 < query.matches.sum() <= 0.3 * len(whole):
                rest = spaces_of(collections, probes, ~query.matches)
                found.append(answer(collections, number, ~query.matches, rest))
    return found


def row(name: str, group: str, found: Sequence[Answer]) -> str:
    there, absent = ([best_relevance(a) for a in found if a.there is kind] for kind in (True, False))
    silent = float(np.mean(np.array(absent) < CUT_OFF))
    counts = f"| {name} | {group} | {len(there)} | {len(absent)} |"
    if not there:
        return f"{counts} - | {silent:.2f} | - | - |"
    answered = float(np.mean(np.array(there) >= CUT_OFF))
    return f"{counts} {answered:.2f} | {silent:.2f} | {(answered + silent) / 2:.3f} | {auc(there, absent):.3f} |"


def main() -> None:
    """Print a Markdown table."""
    names = sys.argv[1:]
    encoders = [load_encoder(name, device="cpu", offline=True) for name in names]
    collections = [gallery(encoder) for encoder in encoders]
    probes = [text_vectors(encoder, probe_texts()) for encoder in encoders]
    asked = {Path(name).name: ([c], [p]) for name, c, p in zip(names, collections, probes, strict=True)}
    asked["fused"] = (collections, probes)
    print("| space | queries | there | not there | answered | silent | balanced | AUC relevance |")
    print("|---|---|---|---|---|---|---|---|")
    for title, (some, texts) in asked.items():
        found = answers(some, texts)
        for group in ("concept", "phrase", "caption", "absurd"):
            print(row(title, group, [a for a in found if a.group == group]))
        print(row(title, "all", found), flush=True)


if __name__ == "__main__":
    main()
