"""Logistic regression against finite differences, another optimiser and hand-made cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clipsearch.errors import UsageError
from clipsearch.labels.probe import stratified, train
from clipsearch.labels.regression import fit, loss
from clipsearch.store.derive import quietly


def blobs(seed: int, each: int, count: int, dim: int = 6, apart: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around one centre a class, float64 [n, dim], and their classes."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(count, dim)) * apart
    classes = np.repeat(np.arange(count), each)
    points = centres[classes] + random.normal(size=(len(classes), dim))
    return points / np.linalg.norm(points, axis=1, keepdims=True), classes


def reference_loss(point: np.ndarray, x: np.ndarray, classes: np.ndarray, penalty: float) -> float:
    """The definition, row by row."""
    total = 0.0
    for row, wanted in zip(x, classes, strict=True):
        logits = [sum(w * value for w, value in zip(weights[:-1], row, strict=True)) + weights[-1] for weights in point]
        total -= logits[wanted] - np.log(sum(np.exp(logit) for logit in logits))
    return total / len(x) + penalty / 2 * float((point[:, :-1] ** 2).sum())


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(2, 4), st.floats(1e-4, 1.0))
def test_loss_and_gradient(seed, count, penalty):
    x, classes = blobs(seed, 3, count, dim=3)
    point = np.random.default_rng(seed).normal(size=(count, 4)) * 3
    value, gradient = loss(point, x, classes, penalty)
    assert value == pytest.approx(reference_loss(point, x, classes, penalty), rel=1e-9)
    for place in range(point.size):
        moved = [point.copy(), point.copy()]
        moved[0].ravel()[place] += 1e-6
        moved[1].ravel()[place] -= 1e-6
        difference = [reference_loss(p, x, classes, penalty) for p in moved]
        assert gradient[place] == pytest.approx((difference[0] - difference[1]) / 2e-6, abs=1e-6)


@pytest.mark.parametrize("penalty", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("count", [2, 5])
def test_the_minimum_is_that_of_another_optimiser(count, penalty):
    x, classes = blobs(count, 30, count)
    found = fit(x, classes, count, penalty)
    weights = torch.zeros(count, x.shape[1], dtype=torch.float64, requires_grad=True)
    biases = torch.zeros(count, dtype=torch.float64, requires_grad=True)
    other = torch.optim.LBFGS([weights, biases], max_iter=5000, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        other.zero_grad()
        logits = torch.from_numpy(x) @ weights.T + biases
        value = (
            torch.nn.functional.cross_entropy(logits, torch.from_numpy(classes)) + penalty / 2 * weights.pow(2).sum()
        )
        value.backward()
        return value

    other.step(closure)
    ours = loss(np.column_stack([found.weights, found.biases]), x, classes, penalty)[0]
    assert ours == pytest.approx(float(closure().detach()), abs=1e-6)
    if penalty > 1e-4:
        np.testing.assert_allclose(found.weights, weights.detach().numpy(), atol=5e-2 * np.abs(found.weights).max())


def test_where_it_begins_changes_nothing():
    x, classes = blobs(7, 20, 3)
    begun = fit(x, classes, 3, 1e-2, fit(x, classes, 3, 1e-4))
    np.testing.assert_allclose(begun.weights, fit(x, classes, 3, 1e-2).weights, atol=1e-2)


@given(st.lists(st.integers(0, 3), min_size=8, max_size=60), st.integers(2, 5))
def test_folds_have_about_as_many_of_each_class(classes, folds):
    values = np.array(classes)
    fold_of = stratified(values, folds)
    for name in set(classes):
        counts = np.bincount(fold_of[values == name], minlength=folds)
        assert counts.max() - counts.min() <= 1
    assert set(fold_of.tolist()) <= set(range(folds))


def test_a_probe_of_classes_apart_is_right_and_of_noise_is_not():
    x, classes = blobs(3, 20, 3, apart=8.0)
    names = np.array(["ant", "bee", "cow"])[classes]
    classifier, accuracy = train(x.astype(np.float32), names.tolist(), each=False, tell=quietly)
    assert classifier.labels == ("ant", "bee", "cow")
    assert accuracy is not None
    assert (len(accuracy.folds), accuracy.mean) == (5, 1.0)
    assert (classifier.probabilities(x.astype(np.float32)).argmax(axis=1) == classes).all()
    shuffled = np.random.default_rng(0).permutation(names)
    _, accuracy = train(x.astype(np.float32), shuffled.tolist(), each=False, tell=quietly)
    assert accuracy is not None
    assert accuracy.mean < 0.6


def test_accuracy_is_of_examples_left_out():
    """Vectors that say nothing but which example they are: nothing learnt of some says anything of others."""
    x = np.eye(40, dtype=np.float32)
    _, accuracy = train(x, ["a", "b"] * 20, each=False, tell=quietly)
    assert accuracy is not None
    assert accuracy.mean <= 0.5


def test_few_examples():
    x = np.eye(4, dtype=np.float32)
    classifier, accuracy = train(x[:3], ["a", "a", "b"], each=False, tell=quietly)
    assert accuracy is None
    assert classifier.probabilities(x[:3]).argmax(axis=1).tolist() == [0, 0, 1]
    _, accuracy = train(x, ["a", "a", "b", "b"], each=False, tell=quietly)
    assert accuracy is not None
    assert len(accuracy.folds) == 2
    with pytest.raises(UsageError, match="fewer than two labels"):
        train(x, ["a"] * 4, each=False, tell=quietly)
