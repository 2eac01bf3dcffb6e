"""The columns that a set of labels has, and their values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from clipsearch.labels.classifier import APPLIES, Classifier
from clipsearch.store.catalog import Catalog
from clipsearch.store.places import Places
from clipsearch.store.schema import folded
from clipsearch.store.sql import literal, quote
from clipsearch.types import Ids, Tell

_BLOCK = 65_536
_NO_LETTERS = re.compile(r"[\W_]+")


def probability_columns(name: str, classifier: Classifier) -> dict[str, str]:
    """The column with the probability of each label, by label; none where only the best one's is kept.

    It is called `NAME_LABEL` in small letters, with an underscore for anything but letters and digits, and with a
    number where two would be called alike.
    """
    if not classifier.each:
        return {}
    taken = {folded(name), folded(f"{name}_probability")}
    columns: dict[str, str] = {}
    for label in classifier.labels:
        stem = f"{name}_{_NO_LETTERS.sub('_', label.lower()).strip('_')}"
        column, number = stem, 2
        while folded(column) in taken:
            column, number = f"{stem}_{number}", number + 1
        taken.add(folded(column))
        columns[label] = column
    return columns


def tables(name: str, classifier: Classifier, tell: Tell, places: Places, ids: Ids) -> Iterator[pa.Table]:
    """The values for these pictures in portions, at least one: `id`, the best label (`NAME`), its probability
    (`NAME_probability`, float32), and where wanted that of each label."""
    for start in range(0, max(len(ids), 1), _BLOCK):
        tell("labelling", start, len(ids))
        block = ids[start : start + _BLOCK]
        yield _table(name, classifier, block, places)


def _table(name: str, classifier: Classifier, ids: Ids, places: Places) -> pa.Table:
    probabilities = classifier.probabilities(places.vectors_of(ids))
    best = probabilities.argmax(axis=1)
    columns = {
        "id": pa.array(ids),
        name: pa.array(classifier.labels, pa.string()).take(pa.array(best)),
        f"{name}_probability": pa.array(probabilities[np.arange(len(ids)), best]),
    }
    for row, column in enumerate(probability_columns(name, classifier).values()):
        columns[column] = pa.array(np.ascontiguousarray(probabilities[:, row]))
    return pa.table(columns)


def counts(catalog: Catalog, name: str, classifier: Classifier) -> Mapping[str, int]:
    """How many pictures have each label, the most frequent first: for how many it is the best or, where several may
    apply, has a probability of at least one half."""
    if classifier.multi:
        told = [
            f"count(*) FILTER (WHERE {quote(column)} >= {APPLIES})"
            for column in probability_columns(name, classifier).values()
        ]
    else:
        told = [f"count(*) FILTER (WHERE {quote(name)} = {literal(label)})" for label in classifier.labels]
    [found] = catalog.fetch(f"SELECT {', '.join(told)} FROM images")
    by_label = dict(zip(classifier.labels, found, strict=True))
    return dict(sorted(by_label.items(), key=lambda item: -item[1]))
