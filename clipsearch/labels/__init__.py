"""Labels: zero-shot and learnt from examples, written as columns of an index."""

from clipsearch.labels.label import drop_labels, label, label_from_examples, labels_of, update_labels
from clipsearch.labels.report import LabelReport

__all__ = ["LabelReport", "drop_labels", "label", "label_from_examples", "labels_of", "update_labels"]
