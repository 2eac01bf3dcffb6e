"""Classifiers of vectors: what a set of labels is, whether its weights come from texts or from examples.

Zero-shot classification with CLIP is a multinomial logistic regression whose weights are the vectors of texts (Radford
et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", section 3.1.2), so one linear form
serves both, and labelling later pictures takes no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from clipsearch.types import StoredVectors, Vectors

Link = Literal["softmax", "sigmoid"]
Origin = Literal["texts", "examples"]
Probabilities = NDArray[np.float32]
"""float32 [n, classes], 0..1."""

APPLIES = 0.5
"""The probability from which on one of several labels that do not exclude each other applies."""


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """Labels and the linear functions of a unit vector that are their logits.

    Attributes:
        labels: their names.
        weights: float32 [classes, dim].
        biases: float32 [classes].
        link: what makes probabilities of logits: `softmax`, of which those of a picture sum to one, or `sigmoid`, each
            by itself.
        multi: whether several labels may apply to one picture.
        each: whether every label has a column with its probability.
        origin: what the weights were made of.
    """

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    link: Link
    multi: bool
    each: bool
    origin: Origin

    def probabilities(self, vectors: Vectors | StoredVectors) -> Probabilities:
        """The probability of each label for each of the unit vectors [n, dim]."""
        logits = vectors.astype(np.float32) @ self.weights.T + self.biases
        if self.link == "sigmoid":
            return _sigmoid(logits)
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), np.float32)


def _sigmoid(logits: NDArray[np.float32]) -> Probabilities:
    small = np.exp(-np.abs(logits))  # which cannot overflow
    return np.asarray(np.where(logits >= 0, 1, small) / (1 + small), np.float32)


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How a classifier is kept; `kind` tells it from recipes of other computed columns."""

    kind: Literal["labels"]
    labels: tuple[str, ...]
    dim: int
    weights: bytes
    biases: bytes
    link: Link
    multi: bool
    each: bool
    origin: Origin


def to_recipe(classifier: Classifier) -> bytes:
    """A classifier as bytes, the numbers as little-endian float32."""
    weights, biases = (np.ascontiguousarray(a, "<f4").tobytes() for a in (classifier.weights, classifier.biases))
    c, dim = classifier, classifier.weights.shape[1]
    return msgspec.msgpack.encode(_Recipe("labels", c.labels, dim, weights, biases, c.link, c.multi, c.each, c.origin))


def from_recipe(recipe: bytes) -> Classifier | None:
    """The classifier of a set of computed columns; None where they are no labels."""
    try:
        kept = msgspec.msgpack.decode(recipe, type=_Recipe)
    except (msgspec.DecodeError, UnicodeDecodeError):  # a ValidationError is one
        return None
    weights = np.frombuffer(kept.weights, "<f4").reshape(len(kept.labels), kept.dim)
    biases = np.frombuffer(kept.biases, "<f4")
    return Classifier(kept.labels, weights, biases, kept.link, kept.multi, kept.each, kept.origin)
