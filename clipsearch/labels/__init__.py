"""Labels, zero-shot and learnt from examples, and scores, of a head or learnt from ratings: columns of an index. And
suggested tags of a picture."""

from clipsearch.labels.label import drop_labels, label, label_from_examples
from clipsearch.labels.report import LabelReport
from clipsearch.labels.score import ScoreReport, score, score_from_ratings
from clipsearch.labels.tags import Tag, suggest_tags
from clipsearch.labels.update import ComputedColumns, columns_of, update_columns

__all__ = [
    "ComputedColumns",
    "LabelReport",
    "ScoreReport",
    "Tag",
    "columns_of",
    "drop_labels",
    "label",
    "label_from_examples",
    "score",
    "score_from_ratings",
    "suggest_tags",
    "update_columns",
]
