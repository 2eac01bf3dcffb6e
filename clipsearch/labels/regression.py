"""Multinomial logistic regression with an L2 penalty, fitted by L-BFGS."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_HISTORY = 20  # pairs that L-BFGS remembers; Nocedal and Wright advise 3 to 20
_MOST_STEPS = 1000  # as Radford et al. 2021 (appendix A.3) give their linear probes
_FLAT = 1e-5  # greatest partial derivative at which the minimum is reached
_ARMIJO = 1e-4  # share of the promised decrease that a step has to bring (Nocedal and Wright, section 3.1)


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """Logits are `x @ weights.T + biases`; float64 [classes, dim] and [classes]."""

    weights: Array
    biases: Array


def fit(x: Array, classes: NDArray[np.intp], count: int, penalty: float, start: Regression | None = None) -> Regression:
    """The minimum of mean cross-entropy + penalty / 2 * (sum of squared weights); biases are not penalised.

    Args:
        x: float64 [n, dim].
        classes: the class of each row, 0..count - 1, int [n].
        count: how many classes there are.
        penalty: above 0, which makes the minimum one.
        start: where to begin; by default at 0.
    """
    # The bias makes up for a shift of x, so the minimum is the same, and reached in far fewer steps around the mean.
    centre = x.mean(axis=0)
    shifted = x - centre
    dim = x.shape[1]
    point = np.zeros((count, dim + 1))
    if start is not None:
        point[:, :dim], point[:, dim] = start.weights, start.biases + start.weights @ centre

    def value(flat: Array) -> tuple[float, Array]:
        return loss(flat.reshape(count, dim + 1), shifted, classes, penalty)

    found = _minimum(value, point.ravel()).reshape(count, dim + 1)
    return Regression(found[:, :dim].copy(), found[:, dim] - found[:, :dim] @ centre)


def loss(point: Array, x: Array, classes: NDArray[np.intp], penalty: float) -> tuple[float, Array]:
    """Mean cross-entropy with its penalty, and the flat gradient; `point` is weights and biases, [classes, dim + 1]."""
    weights, rows = point[:, :-1], np.arange(len(x))
    logits = x @ weights.T + point[:, -1]
    logits -= logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(logits).sum(axis=1))
    value = float((log_sum - logits[rows, classes]).mean() + penalty / 2 * (weights**2).sum())
    error = np.exp(logits - log_sum[:, None])
    error[rows, classes] -= 1
    error /= len(x)
    gradient = np.concatenate([error.T @ x + penalty * weights, error.sum(axis=0)[:, None]], axis=1)
    return value, gradient.ravel()


def _minimum(function: Callable[[Array], tuple[float, Array]], point: Array) -> Array:
    """Nocedal and Wright, "Numerical Optimization", algorithm 7.5, with steps halved until they bring enough."""
    pairs: deque[tuple[Array, Array]] = deque(maxlen=_HISTORY)
    value, gradient = function(point)
    for _ in range(_MOST_STEPS):
        if np.abs(gradient).max() < _FLAT:
            break
        direction = -_times_inverse_hessian(gradient, pairs)
        slope, step = float(gradient @ direction), 1.0
        new_value, new_gradient = function(point + direction)
        while new_value > value + _ARMIJO * step * slope and step > 1e-10:
            step /= 2
            new_value, new_gradient = function(point + step * direction)
        if new_value >= value:  # as low as floating point goes
            break
        moved, bent = step * direction, new_gradient - gradient
        if moved @ bent > 1e-12 * float(bent @ bent):
            pairs.append((moved, bent))
        point, value, gradient = point + moved, new_value, new_gradient
    return point


def _times_inverse_hessian(gradient: Array, pairs: deque[tuple[Array, Array]]) -> Array:
    """The two-loop recursion, algorithm 7.4 there."""
    result, shares = gradient.copy(), []
    for moved, bent in reversed(pairs):
        share = float(moved @ result) / float(moved @ bent)
        result -= share * bent
        shares.append(share)
    if pairs:
        moved, bent = pairs[-1]
        result *= float(moved @ bent) / float(bent @ bent)
    for (moved, bent), share in zip(pairs, reversed(shares), strict=True):
        result += moved * (share - float(bent @ result) / float(moved @ bent))
    return result
