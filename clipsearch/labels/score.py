"""Scoring the pictures of an index: by a head from a file, and by one's own ratings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from clipsearch.labels.computing import compute_all
from clipsearch.labels.folds import CrossValidated
from clipsearch.labels.heads import Head, read_head, to_recipe
from clipsearch.labels.ratings import learn, read_ratings
from clipsearch.store.computed import require_free
from clipsearch.store.derive import quietly
from clipsearch.store.places import Places
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.sql import quote
from clipsearch.store.writer import IndexWriter, open_for_writing
from clipsearch.types import Ids, Tell

_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """A column of scores in an index.

    Attributes:
        name: of the column.
        pictures: how many pictures the index has.
        scored: how many of them were scored just now.
        unscored: how many of them have no score, since they came later.
        least, mean, greatest: of the scores; None where there is none.
        ratings: how many ratings it was learnt from just now.
        unknown: how many more were of no picture of the index.
        agreement: with ratings that were left out; None where it was not learnt just now.
    """

    name: str
    pictures: int
    scored: int
    unscored: int
    least: float | None
    mean: float | None
    greatest: float | None
    ratings: int = 0
    unknown: int = 0
    agreement: CrossValidated | None = None


def score(index: str | Path, head: str | Path, *, name: str = "aesthetic", tell: Tell = quietly) -> ScoreReport:
    """Give every picture of an index the score of a linear head, as a column one can sort and filter by. No model is
    loaded.

    Args:
        index: the index directory.
        head: a `.pth`, `.pt` or `.safetensors` file, see `read_head`.
        name: of the column. It replaces scores of that name.
        tell: hears of the work.

    Raises:
        IndexNotFound: there is no index.
        IndexBusy: another process is writing to it.
        ModelError: the head cannot be read, or is for another model.
        UsageError: the name is taken.
    """
    with open_for_writing(Path(index).expanduser()) as writer:
        require_free(writer, name, (name,))
        return _score_all(writer, name, read_head(Path(head).expanduser(), writer.manifest.model.dim), tell)


def score_from_ratings(
    index: str | Path, ratings: str | Path, *, name: str = "rating", tell: Tell = quietly
) -> ScoreReport:
    """Learn a score from ratings of some pictures of an index, and give it to every picture. No model is loaded.

    Args:
        index: the index directory.
        ratings: a `.csv`, `.tsv` or `.jsonl` file, see `read_ratings`.
        name: of the column, as for `score`.
        tell: hears of the work.

    Raises:
        IndexNotFound: there is no index.
        IndexBusy: another process is writing to it.
        SourceError: the ratings cannot be read, or are too few.
        UsageError: the name is taken.
    """
    with open_for_writing(Path(index).expanduser()) as writer:
        require_free(writer, name, (name,))
        writer.publish()
        with closing(Snapshot(writer.layout.path)) as snapshot:
            rated = read_ratings(Path(ratings).expanduser(), snapshot)
            head, agreement = learn(snapshot.vectors_of(rated.ids).astype(np.float32), rated.ratings)
        report = _score_all(writer, name, head, tell)
    return replace(report, ratings=len(rated.ids), unknown=rated.unknown, agreement=agreement)


def _score_all(writer: IndexWriter, name: str, head: Head, tell: Tell) -> ScoreReport:
    writer.publish()
    count = compute_all(writer, name, partial(score_tables, name, head, tell), to_recipe(head), tell)
    with closing(Snapshot(writer.layout.path)) as snapshot:
        return score_report(snapshot, name, count)


def score_tables(name: str, head: Head, tell: Tell, places: Places, ids: Ids) -> Iterator[pa.Table]:
    """The scores of these pictures in portions, at least one: `id` and the column, float32."""
    for start in range(0, max(len(ids), 1), _BLOCK):
        tell("scoring", start, len(ids))
        block = ids[start : start + _BLOCK]
        yield pa.table({"id": pa.array(block), name: pa.array(head.scores(places.vectors_of(block)))})


def score_report(snapshot: Snapshot, name: str, scored: int = 0) -> ScoreReport:
    """What an index has of a column of scores, of which so many were given just now."""
    column = quote(name)
    [(known, least, mean, greatest)] = snapshot.catalog.fetch(
        f"SELECT count({column}), min({column}), avg({column}), max({column}) FROM images"
    )
    pictures = snapshot.manifest.rows
    return ScoreReport(name, pictures, scored, pictures - known, least, mean, greatest)
