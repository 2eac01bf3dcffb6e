"""A linear probe: logistic regression on the vectors of examples, its penalty and accuracy by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import UsageError
from clipsearch.labels.classifier import Classifier
from clipsearch.labels.folds import FOLDS, CrossValidated
from clipsearch.labels.regression import Array, Regression, fit, loss
from clipsearch.types import Tell, Vectors

_PENALTIES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)  # strongest first: each fit begins where the one before ended
_OTHERWISE = 1e-3  # of examples too few to choose by


def train(
    vectors: Vectors, labels: Sequence[str], *, each: bool, tell: Tell
) -> tuple[Classifier, CrossValidated | None]:
    """A probe of examples, and its accuracy in stratified cross-validation of 5 folds, or as many as the rarest label
    has examples; None where one has a single example.

    Args:
        vectors: of the examples, float32 [n, dim] of norm 1.
        labels: the label of each.
        each: whether every label shall have a column.
        tell: hears of the work.

    Raises:
        UsageError: the examples have fewer than two labels.
    """
    names, classes, counts = np.unique(np.array(labels, object), return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise UsageError("The examples have fewer than two labels; give at least two classes to tell apart.")
    x = vectors.astype(np.float64)
    folds = min(FOLDS, int(counts.min()))
    accuracy = _cross_validated(x, classes, len(names), folds, tell) if folds > 1 else None
    found = fit(x, classes, len(names), accuracy.penalty if accuracy else _OTHERWISE)
    weights, biases = found.weights.astype(np.float32), found.biases.astype(np.float32)
    named = tuple(str(name) for name in names)
    return Classifier(named, weights, biases, "softmax", multi=False, each=each, origin="examples"), accuracy


def _cross_validated(x: Array, classes: NDArray[np.intp], count: int, folds: int, tell: Tell) -> CrossValidated:
    """The penalty of the least cross-entropy on examples left out, from strong to weak until that grows again: weak
    ones take longest to fit. Cross-entropy and not accuracy, since what is wanted is probabilities."""
    fold_of = stratified(classes, folds)
    fitted: list[Regression | None] = [None] * folds
    best, least = CrossValidated((), _PENALTIES[0]), np.inf
    for number, penalty in enumerate(_PENALTIES):
        right, surprise = np.empty(folds), np.empty(folds)
        for fold in range(folds):
            tell("cross-validation", number * folds + fold, len(_PENALTIES) * folds)
            seen, unseen = fold_of != fold, fold_of == fold
            found = fitted[fold] = fit(x[seen], classes[seen], count, penalty, fitted[fold])
            right[fold], surprise[fold] = _judged(found, x[unseen], classes[unseen])
        if surprise.mean() >= least:
            break
        best, least = CrossValidated(tuple(right.tolist()), penalty), surprise.mean()
    return best


def _judged(found: Regression, x: Array, classes: NDArray[np.intp]) -> tuple[float, float]:
    """Accuracy and mean cross-entropy on examples."""
    logits = x @ found.weights.T + found.biases
    cross_entropy = loss(np.column_stack([found.weights, found.biases]), x, classes, penalty=0.0)[0]
    return float((logits.argmax(axis=1) == classes).mean()), cross_entropy


def stratified(classes: NDArray[np.intp], folds: int) -> NDArray[np.intp]:
    """The fold of each row, int [n]: of every class about as many in each, drawn at random but always the same."""
    fold_of = np.empty(len(classes), np.intp)
    random = np.random.default_rng(0)
    begin = 0
    for name in np.unique(classes):
        rows = random.permutation(np.flatnonzero(classes == name))
        fold_of[rows] = (begin + np.arange(len(rows))) % folds
        begin += len(rows)
    return fold_of
