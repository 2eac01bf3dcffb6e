"""Labels, zero-shot and learnt from examples, and scores, of a head or learnt from ratings: columns of an index."""

from clipsearch.labels.label import drop_labels, label, label_from_examples, labels_of, update_labels
from clipsearch.labels.report import LabelReport
from clipsearch.labels.score import ScoreReport, score, score_from_ratings, scores_of, update_scores

__all__ = [
    "LabelReport",
    "ScoreReport",
    "drop_labels",
    "label",
    "label_from_examples",
    "labels_of",
    "score",
    "score_from_ratings",
    "scores_of",
    "update_labels",
    "update_scores",
]
