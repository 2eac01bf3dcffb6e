"""Labelling the pictures of an index: by the names of classes, and by examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from clipsearch.labels.classifier import Classifier, to_recipe
from clipsearch.labels.columns import counts, tables
from clipsearch.labels.computing import compute_all
from clipsearch.labels.examples import read_examples
from clipsearch.labels.probe import train
from clipsearch.labels.prompts import read_templates, require_usable, zero_shot
from clipsearch.labels.report import LabelReport
from clipsearch.query.index import Index
from clipsearch.store.computed import drop_columns, require_free
from clipsearch.store.derive import quietly
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.sql import quote
from clipsearch.store.writer import IndexWriter, open_for_writing
from clipsearch.types import Encoder, Tell


def label(
    index: str | Path,
    labels: Sequence[str],
    *,
    name: str = "label",
    templates: str | Sequence[str] = "simple",
    multi: bool = False,
    each: bool = False,
    encoder: Encoder | None = None,
    device: str = "auto",
    engine: str = "auto",
    offline: bool = False,
    tell: Tell = quietly,
) -> LabelReport:
    """Give every picture of an index the most probable of some labels, as columns one can filter, sort and count by.

    Args:
        index: the index directory.
        labels: names of classes, as one would say them.
        name: of the columns: `NAME` has the label, `NAME_probability` its probability. It replaces labels of that name.
        templates: sentences with `{}` where a label goes, or `simple`, `openai` or a file, see `read_templates`.
        multi: several labels may apply to one picture; each gets a probability by itself.
        each: every label gets a column with its probability, `NAME_LABEL`; with `multi` it does anyhow.
        encoder, device, engine, offline: as for `Index`.
        tell: hears of the work.

    Raises:
        IndexNotFound: there is no index.
        IndexBusy: another process is writing to it.
        UsageError: there are too few labels, templates cannot be used, or a name is taken.
        ModelError: the index's model cannot be loaded.
    """
    sentences = read_templates(templates) if isinstance(templates, str) else templates
    distinct = tuple(dict.fromkeys(labels))
    require_usable(distinct, sentences, multi=multi)
    with _opened(index, name, encoder, device, engine, offline) as (writer, opened):
        made = zero_shot(opened.encoder, distinct, sentences, multi=multi, each=each, tell=tell)
        return _label_all(writer, name, made, tell)


def label_from_examples(
    index: str | Path,
    examples: str | Path,
    *,
    name: str = "label",
    label_column: str = "label",
    each: bool = False,
    encoder: Encoder | None = None,
    device: str = "auto",
    engine: str = "auto",
    offline: bool = False,
    tell: Tell = quietly,
) -> LabelReport:
    """Learn labels from examples, with a linear probe on their vectors, and give every picture the most probable one.

    Args:
        index: the index directory.
        examples: a folder with a folder for each label; or a Parquet file of pictures.
        name: of the columns, as for `label`.
        label_column: of a Parquet file of examples.
        each: as for `label`.
        encoder, device, engine, offline: as for `Index`; no model is loaded where all examples are in the index.
        tell: hears of the work.

    Raises:
        IndexNotFound: there is no index.
        IndexBusy: another process is writing to it.
        SourceError: there are no examples.
        UsageError: they have fewer than two labels, or a name is taken.
        ModelError: the index's model cannot be loaded.
    """
    with _opened(index, name, encoder, device, engine, offline) as (writer, opened):
        found = read_examples(opened, Path(examples).expanduser(), label_column, tell)
        made, accuracy = train(found.vectors, found.labels, each=each, tell=tell)
        report = _label_all(writer, name, made, tell)
    return replace(report, examples=len(found.labels), unreadable=found.unreadable, accuracy=accuracy)


def drop_labels(index: str | Path, name: str) -> None:
    """Take a set of labels, or other computed columns, out of an index.

    Raises:
        IndexNotFound: there is no index.
        IndexBusy: another process is writing to it.
        QueryError: it has no such set.
    """
    with open_for_writing(Path(index).expanduser()) as writer:
        drop_columns(writer, name)
        writer.publish()


@contextmanager
def _opened(
    index: str | Path, name: str, encoder: Encoder | None, device: str, engine: str, offline: bool
) -> Iterator[tuple[IndexWriter, Index]]:
    """An index locked for writing, so that nobody waits for a model only to be told it is busy; and for reading."""
    with open_for_writing(Path(index).expanduser()) as writer:
        require_free(writer, name, (name, f"{name}_probability"))
        writer.publish()
        with Index(writer.layout.path, encoder=encoder, device=device, engine=engine, offline=offline) as opened:
            yield writer, opened


def _label_all(writer: IndexWriter, name: str, made: Classifier, tell: Tell) -> LabelReport:
    count = compute_all(writer, name, partial(tables, name, made, tell), to_recipe(made), tell)
    with closing(Snapshot(writer.layout.path)) as snapshot:
        return label_report(snapshot, name, made, count)


def label_report(snapshot: Snapshot, name: str, made: Classifier, labelled: int = 0) -> LabelReport:
    """What an index has of a set of labels, of whose pictures so many were labelled just now."""
    [ref] = [ref for ref in snapshot.manifest.computed if ref.name == name]
    [(known,)] = snapshot.catalog.fetch(f"SELECT count({quote(name)}) FROM images")
    pictures = snapshot.manifest.rows
    return LabelReport(
        name, ref.columns, counts(snapshot.catalog, name, made), pictures, labelled, pictures - known, made.multi
    )
