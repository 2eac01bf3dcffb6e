"""What labelling an index did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clipsearch.labels.folds import CrossValidated


@dataclass(frozen=True, slots=True)
class LabelReport:
    """A set of labels in an index.

    Attributes:
        name: of the set.
        columns: those it has in `images`.
        counts: how many pictures have each label, the most frequent first: for how many it is the most probable or,
            with `multi`, has a probability of at least one half.
        pictures: how many pictures the index has.
        labelled: how many of them were labelled just now.
        unlabelled: how many of them have no label, since they came later.
        multi: whether several labels may apply to one picture.
        examples: how many examples it was learnt from just now.
        unreadable: how many more could not be read.
        accuracy: of what was learnt from them, by cross-validation; None where a label has a single example.
    """

    name: str
    columns: tuple[str, ...]
    counts: Mapping[str, int]
    pictures: int
    labelled: int
    unlabelled: int
    multi: bool
    examples: int = 0
    unreadable: int = 0
    accuracy: CrossValidated | None = None
