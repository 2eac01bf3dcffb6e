"""Whether pictures are nearer to what is said of them than to the same words in another order, or other numbers."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

from clipsearch.evaluation.foils import FOILS
from clipsearch.evaluation.subject import Subject
from clipsearch.evaluation.types import Confused, Probe
from clipsearch.types import Ids

_PAIRS = 500
_WORST = 3


def probes(subject: Subject) -> tuple[Probe, ...]:
    """All kinds of foils, of at most 500 texts each; a kind that none of the texts allows is left out. `subject` has
    judgments."""
    found = []
    for number, name in enumerate(FOILS):
        subject.tell("word order and numbers", number, len(FOILS))
        probe = _probe(subject, name)
        found += [probe] if probe else []
    return tuple(found)


def _probe(subject: Subject, name: str) -> Probe | None:
    assert subject.judgments is not None
    pairs, texts = subject.judgments.pairs, subject.judgments.texts
    # Each text with the first of its pictures.
    rows, place = np.unique(pairs.queries, return_index=True)
    foils = {
        row: foil for row in rows.tolist() if (foil := FOILS[name].change(texts[row], Random(f"{name} {texts[row]}")))
    }
    if not foils:
        return None
    chosen = sorted(foils) if len(foils) <= _PAIRS else sorted(Random(0).sample(sorted(foils), _PAIRS))
    pictures = pairs.documents[place[np.searchsorted(rows, chosen)]]
    images = subject.collection.vectors_of(pictures).astype(np.float32)
    # As they are: templates would put a short text into sentences, but not its foil.
    own, other = (subject.embedded(said) for said in ([texts[r] for r in chosen], [foils[r] for r in chosen]))
    margins = np.einsum("ij,ij->i", images, other - own)
    said = [(texts[row], foils[row]) for row in chosen]
    return Probe(
        name,
        FOILS[name].how,
        len(chosen),
        float(np.mean(margins < 0)),
        float(np.einsum("ij,ij->i", own, other).mean()),
        _worst(subject, pictures, said, margins),
    )


def _worst(
    subject: Subject, pictures: Ids, said: Sequence[tuple[str, str]], margins: NDArray[np.float32]
) -> tuple[Confused, ...]:
    return tuple(
        Confused(subject.collection.shown(int(pictures[row])), said[row][0], said[row][1], float(margins[row]))
        for row in np.argsort(-margins, kind="stable")[:_WORST]
        if margins[row] >= 0
    )
