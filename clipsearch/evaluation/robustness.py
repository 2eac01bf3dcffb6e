"""How far vectors move when pictures are spoilt, and whether they are still found."""

from __future__ import annotations

import numpy as np
from PIL import Image

from clipsearch.errors import PictureError
from clipsearch.evaluation.distortions import DISTORTIONS, at_scale
from clipsearch.evaluation.metrics import first_ranks, recall_at
from clipsearch.evaluation.ranks import Judged, pair_scores, ranks_of
from clipsearch.evaluation.subject import Subject
from clipsearch.evaluation.types import Distorted
from clipsearch.pictures import read_picture
from clipsearch.query.embed import image_vectors
from clipsearch.types import Ids, Vectors

_PICTURES = 100
"""Each is embedded once for every distortion."""


def robustness(subject: Subject) -> tuple[Distorted, ...]:
    """The table of all distortions, of at most 100 pictures; empty where no picture's file is there now."""
    ids, images = _read(subject)
    if not images:
        return ()
    stored = subject.collection.vectors_of(ids).astype(np.float32)
    table = []
    for number, name in enumerate(DISTORTIONS):
        subject.tell("spoiling pictures", number, len(DISTORTIONS))
        apply = DISTORTIONS[name].apply
        spoilt = image_vectors(subject.encoder, [apply(image, seed) for seed, image in enumerate(images)])
        table.append(_measured(subject, name, ids, stored, spoilt))
    return tuple(table)


def _read(subject: Subject) -> tuple[Ids, list[Image.Image]]:
    ids, images = [], []
    for picture, content in subject.collection.contents(subject.drawn(_PICTURES)):
        try:
            images.append(at_scale(read_picture(content).image))
            ids.append(picture)
        except PictureError:  # replaced by something else since it was indexed
            continue
    return np.array(ids, np.int64), images


def _measured(subject: Subject, name: str, ids: Ids, stored: Vectors, spoilt: Vectors) -> Distorted:
    own = np.einsum("ij,ij->i", stored, spoilt)
    pairs = Judged(np.arange(len(ids)), ids, np.ones(len(ids), np.float32))
    ranks = ranks_of(spoilt, pairs, own, subject.collection.blocks())
    return Distorted(
        name,
        DISTORTIONS[name].how,
        len(ids),
        float(own.mean()),
        float(np.quantile(own, 0.05)),
        recall_at(ranks, 1),
        _text_recall(subject, ids, spoilt) if subject.judgments else None,
    )


def _text_recall(subject: Subject, ids: Ids, spoilt: Vectors) -> float:
    """R@5 of the texts of these pictures, each spoilt picture in the place of its original."""
    pairs = subject.pairs_of(ids)
    scores = pair_scores(subject.text_vectors, pairs, spoilt[np.searchsorted(ids, pairs.documents)])
    return recall_at(first_ranks(pairs.queries, subject.ranks_for(pairs, scores)), 5)
