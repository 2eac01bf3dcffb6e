"""Tags: the words of a vocabulary that say what is particular about a picture."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clipsearch.errors import UsageError
from clipsearch.labels.prompts import read_templates, require_usable
from clipsearch.labels.vocabulary import word_vectors
from clipsearch.query import terms
from clipsearch.query.embed import embed
from clipsearch.query.index import Index
from clipsearch.store.background import MIN_PICTURES, Moments
from clipsearch.store.derive import quietly
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Encoder, Tell, Vectors

if TYPE_CHECKING:
    from clipsearch.query.terms import Picture

_BLOCK = 512
"""Pictures compared with all words at a time."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A word suggested for a picture.

    Attributes:
        word: as the vocabulary has it.
        score: the cosine similarity of word and picture, -1..1.
        standing: how many standard deviations the score lies above what the word comes to over the pictures of the
            index; None where those are fewer than 50, too few to tell.
    """

    word: str
    score: float
    standing: float | None


def suggest_tags(
    index: str | Path,
    pictures: Sequence[Picture | int],
    vocabulary: Sequence[str],
    *,
    k: int = 8,
    templates: str | Sequence[str] = "simple",
    encoder: Encoder | None = None,
    device: str = "auto",
    engine: str = "auto",
    offline: bool = False,
    tell: Tell = quietly,
) -> list[tuple[Tag, ...]]:
    """The `k` words of a vocabulary that stand out most for each picture, the most outstanding first.

    Some words are near to nearly every picture: hubs, as they are common where there are many dimensions (Radovanović
    et al. 2010, "Hubs in Space"). So words are ordered not by their score but by where it stands among the word's
    scores with all pictures of the index, whose mean and spread are known: (score - mean) / spread. That is how
    Schnitzer et al. 2012, "Local and Global Scaling Reduce Hubs in Space", compare distances that they take for normal.
    With too few pictures to know mean and spread, the score decides.

    Args:
        index: the index directory. Its model is used, and its pictures say what is usual.
        pictures: files, encoded bytes, PIL images, uint8 arrays [h, w, 3]; or ids of pictures of the index.
        vocabulary: the words to choose from. Their vectors are kept in the user's cache folder.
        k: how many words for each picture; fewer only where the vocabulary has fewer.
        templates: sentences with `{}` where a word goes, as for `label`.
        encoder, device, engine, offline: as for `Index`.
        tell: hears of the work.

    Raises:
        IndexNotFound: there is no index.
        QueryError: a picture cannot be read, or an id does not exist.
        UsageError: there are no words, `k` is below 1, or templates cannot be used.
        ModelError: the index's model cannot be loaded.
    """
    sentences = read_templates(templates) if isinstance(templates, str) else templates
    words = tuple(dict.fromkeys(vocabulary))
    require_usable(words, sentences, multi=True)
    if not words or k < 1:
        raise UsageError("No tags are asked for; give a vocabulary with at least one word, and a k of at least 1.")
    with (
        Index(index, encoder=encoder, device=device, engine=engine, offline=offline) as opened,
        closing(Snapshot(opened.path)) as snapshot,
    ):
        asked = [terms.stored(one) if isinstance(one, int) else terms.image(one) for one in pictures]
        vectors = embed(asked, lambda: opened.encoder, opened.vectors, snapshot.manifest.model.dim)
        background = snapshot.background
        usual = background.pictures if background is not None and background.sampled >= MIN_PICTURES else None
        of_words = word_vectors(opened.encoder, words, sentences, tell)
    blocks = (vectors[start : start + _BLOCK] for start in range(0, len(vectors), _BLOCK))
    return [tags for block in blocks for tags in _outstanding(block, words, of_words, usual, k)]


def _outstanding(
    pictures: Vectors, words: Sequence[str], of_words: Vectors, usual: Moments | None, k: int
) -> list[tuple[Tag, ...]]:
    scores = pictures @ of_words.T
    standings = usual.standing(scores, of_words) if usual is not None else None
    order = np.argsort(-(scores if standings is None else standings), axis=1, kind="stable")[:, :k]
    return [
        tuple(
            Tag(words[word], float(scores[row, word]), None if standings is None else float(standings[row, word]))
            for word in best
        )
        for row, best in enumerate(order)
    ]
