"""What a transformer does between its products of matrices, in NumPy and single precision."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SQRT_HALF = np.float32(math.sqrt(0.5))
_SQRT_2_OVER_PI = np.float32(math.sqrt(2 / math.pi))

# Abramowitz and Stegun 1964, "Handbook of Mathematical Functions", 7.1.26: |error| <= 1.5e-7, that of single precision.
_P = np.float32(0.3275911)
_A = tuple(np.float32(a) for a in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592))


def softmax(x: Floats) -> Floats:
    """Shares that add up to 1 along the last axis; works in place."""
    x -= x.max(axis=-1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)
    return x


def layer_norm(x: Floats, weight: Floats, bias: Floats, epsilon: float) -> Floats:
    """Mean 0 and variance 1 along the last axis, then scaled and shifted (Ba et al. 2016, "Layer Normalization")."""
    centred: Floats = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    centred /= np.sqrt(variance + np.float32(epsilon))
    centred *= weight
    centred += bias
    return centred


def gelu(x: Floats) -> Floats:
    """x times the normal distribution's share below x (Hendrycks and Gimpel 2016, "Gaussian Error Linear Units")."""
    share: Floats = 1 + _erf(x * _SQRT_HALF)
    return np.float32(0.5) * x * share


def gelu_tanh(x: Floats) -> Floats:
    """The same by their approximation with a hyperbolic tangent, which SigLIP was trained with."""
    share: Floats = 1 + np.tanh(_SQRT_2_OVER_PI * (x + np.float32(0.044715) * x * x * x))
    return np.float32(0.5) * x * share


def quick_gelu(x: Floats) -> Floats:
    """The same by a logistic function, which OpenAI's CLIP was trained with."""
    # Beyond 80 single precision overflows, and the share is 0 anyhow.
    against: Floats = 1 + np.exp(np.minimum(np.float32(-1.702) * x, np.float32(80)))
    return x / against


def _erf(x: Floats) -> Floats:
    size = np.abs(x)
    t = 1 / (1 + _P * size)
    polynomial = np.zeros_like(x)
    for coefficient in _A:
        polynomial += coefficient
        polynomial *= t
    signed: Floats = np.copysign(1 - polynomial * np.exp(-size * size), x)
    return signed
