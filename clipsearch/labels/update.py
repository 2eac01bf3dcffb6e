"""The labels and scores that an index has, and those of pictures that came after it was given them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from clipsearch.labels import classifier, heads
from clipsearch.labels.columns import tables
from clipsearch.labels.computing import compute_more, sets_of
from clipsearch.labels.label import label_report
from clipsearch.labels.report import LabelReport
from clipsearch.labels.score import ScoreReport, score_report, score_tables
from clipsearch.store.derive import quietly
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing
from clipsearch.types import Tell


@dataclass(frozen=True, slots=True)
class ComputedColumns:
    """The sets of `labels` and the columns of `scores` of an index."""

    labels: tuple[LabelReport, ...]
    scores: tuple[ScoreReport, ...]


def update_columns(index: str | Path, *, tell: Tell = quietly) -> ComputedColumns:
    """Give pictures that came after an index was labelled or scored what they lack, of every set and column it has. No
    model is loaded.

    Raises:
        IndexNotFound: there is no index.
        IndexBusy: another process is writing to it.
        IndexDamaged: the file of a set cannot be read.
    """
    with open_for_writing(Path(index).expanduser()) as writer:
        writer.publish()
        there = tuple(writer.computed.values())
        labels = [
            (ref.name, made, compute_more(writer, ref, partial(tables, ref.name, made, tell)))
            for ref, made in sets_of(writer.layout, there, classifier.from_recipe)
        ]
        scores = [
            (ref.name, compute_more(writer, ref, partial(score_tables, ref.name, head, tell)))
            for ref, head in sets_of(writer.layout, there, heads.from_recipe)
        ]
        writer.publish()
        with closing(Snapshot(writer.layout.path)) as snapshot:
            return ComputedColumns(
                tuple(label_report(snapshot, *one) for one in labels),
                tuple(score_report(snapshot, *one) for one in scores),
            )


def columns_of(index: str | Path) -> ComputedColumns:
    """The sets of labels and the columns of scores that an index has.

    Raises:
        IndexNotFound: there is no index.
        IndexDamaged: the file of a set cannot be read.
    """
    with closing(Snapshot(index)) as snapshot:
        there = snapshot.manifest.computed
        labels = sets_of(snapshot.layout, there, classifier.from_recipe)
        scores = sets_of(snapshot.layout, there, heads.from_recipe)
        return ComputedColumns(
            tuple(label_report(snapshot, ref.name, made) for ref, made in labels),
            tuple(score_report(snapshot, ref.name) for ref, _ in scores),
        )
