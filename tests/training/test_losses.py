import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from clipsearch.training.distillation import distillation_loss, make_head
from clipsearch.training.losses import (
    MAX_SCALE,
    START_TEMPERATURE,
    clamp_scale_,
    clip_loss,
    siglip_loss,
    symmetric_cross_entropy,
)

Matrix = NDArray[np.float64]


def unit(rows: Matrix) -> Matrix:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def cross_entropy(rows: Matrix) -> float:
    top = rows.max(axis=1, keepdims=True)
    return float((np.log(np.exp(rows - top).sum(axis=1)) + top[:, 0] - np.diag(rows)).mean())


def reference_clip(images: Matrix, texts: Matrix, log_scale: float, bias: float = 0.0) -> float:
    """Figure 3 of Radford et al. 2021, in NumPy float64."""
    logits = np.exp(log_scale) * unit(images) @ unit(texts).T
    return (cross_entropy(logits) + cross_entropy(logits.T)) / 2


def reference_siglip(images: Matrix, texts: Matrix, log_scale: float, bias: float) -> float:
    """Algorithm 1 of Zhai et al. 2023, pair by pair in NumPy float64."""
    logits = np.exp(log_scale) * unit(images) @ unit(texts).T + bias
    total = 0.0
    for i in range(len(logits)):
        for j in range(len(logits)):
            total += float(np.logaddexp(0.0, -logits[i, j] if i == j else logits[i, j]))
    return total / len(logits)


def torch_clip(images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return clip_loss(images, texts, scale) + 0 * bias


LOSSES = [(torch_clip, reference_clip), (siglip_loss, reference_siglip)]


# The example of many a CLIP tutorial: three pictures as unit vectors, three texts, temperature 0.07.
IMAGES = torch.eye(3, dtype=torch.float64)
TEXTS = torch.tensor([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]], dtype=torch.float64)


def test_the_tutorials_example_as_printed_there() -> None:
    logits = IMAGES @ TEXTS.T / 0.07
    printed = [[12.857143, 1.428571, 0.0], [1.428571, 11.428571, 4.285714], [0.0, 1.428571, 10.0]]
    assert logits.numpy() == pytest.approx(np.array(printed), abs=1e-6)
    # Worked out in 30 decimal digits, as the one below.
    assert float(symmetric_cross_entropy(logits)) == pytest.approx(0.00075440887506, rel=1e-10)


def test_the_tutorials_example_as_clip_does_it() -> None:
    """With texts of length 1 the diagonal is 14.198, 14.068, 13.131."""
    log_scale = torch.tensor(math.log(1 / 0.07), dtype=torch.float64)
    logits = log_scale.exp() * IMAGES @ torch.nn.functional.normalize(TEXTS, dim=-1).T
    assert logits.diag().numpy() == pytest.approx(np.array([14.198339, 14.067599, 13.130643]), abs=1e-6)
    assert float(clip_loss(IMAGES, TEXTS, log_scale)) == pytest.approx(0.00013400409693, rel=1e-9)


@pytest.fixture
def features() -> tuple[Matrix, Matrix]:
    rng = np.random.default_rng(3)
    return rng.normal(size=(7, 5)), rng.normal(size=(7, 5))


@pytest.mark.parametrize(("loss", "reference"), LOSSES)
@given(
    size=st.integers(1, 9),
    dim=st.integers(1, 6),
    log_scale=st.floats(0.0, math.log(MAX_SCALE)),
    bias=st.floats(-15, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_losses_equal_the_papers(
    loss: Callable[..., torch.Tensor],
    reference: Callable[..., float],
    size: int,
    dim: int,
    log_scale: float,
    bias: float,
    seed: int,
) -> None:
    images, texts = np.random.default_rng(seed).normal(size=(2, size, dim))
    numbers = (torch.tensor(value, dtype=torch.float64) for value in (log_scale, bias))
    got = float(loss(torch.tensor(images), torch.tensor(texts), *numbers))
    assert got == pytest.approx(reference(images, texts, log_scale, bias), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(("loss", "reference"), LOSSES)
def test_gradients_equal_finite_differences(
    features: tuple[Matrix, Matrix], loss: Callable[..., torch.Tensor], reference: Callable[..., float]
) -> None:
    at: list[Matrix] = [*features, np.array(1.3), np.array(-2.0)]
    tensors = [torch.tensor(value, requires_grad=True) for value in at]
    loss(*tensors).backward()
    step = 1e-6
    for part, tensor in enumerate(tensors):
        for place in [()] if part > 1 else [(0, 0), (3, 2), (6, 4)]:
            values = []
            for sign in (1, -1):
                moved = [value.copy() for value in at]
                moved[part][place] += sign * step
                values.append(reference(*moved))
            assert tensor.grad is not None
            assert float(tensor.grad[place]) == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-7)


def test_open_clip_has_the_same_losses(features: tuple[Matrix, Matrix]) -> None:
    from open_clip.loss import ClipLoss, SigLipLoss

    images, texts = (torch.nn.functional.normalize(torch.tensor(part), dim=-1) for part in features)
    scale, bias = torch.tensor(2.0, dtype=torch.float64), torch.tensor(-4.0, dtype=torch.float64)
    assert float(clip_loss(images, texts, scale)) == pytest.approx(float(ClipLoss()(images, texts, scale.exp())))
    theirs = SigLipLoss()(images, texts, scale.exp(), bias)
    assert float(siglip_loss(images, texts, scale, bias)) == pytest.approx(float(theirs))


@pytest.mark.parametrize("loss", [clip_loss, lambda i, t, s: siglip_loss(i, t, s, s)])
def test_the_losses_refuse_features_that_do_not_match(loss: Callable[..., torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="matching rows"):
        loss(torch.zeros(3, 4), torch.zeros(2, 4), torch.tensor(0.0))


@pytest.mark.parametrize(("before", "after"), [(9.0, math.log(MAX_SCALE)), (-2.0, 0.0), (2.5, 2.5)])
def test_the_temperature_stays_in_its_range(before: float, after: float) -> None:
    scale = torch.tensor(before)
    clamp_scale_(scale)
    assert float(scale) == pytest.approx(after)
    assert math.exp(math.log(1 / START_TEMPERATURE)) == pytest.approx(14.2857, abs=1e-4)


def test_distillation_measures_directions_and_similarities(features: tuple[Matrix, Matrix]) -> None:
    images, teacher = features
    taught = teacher.copy()
    taught[2, 1] = np.nan
    known = [0, 1, 3, 4, 5, 6]
    a, b = unit(images[known]), unit(teacher[known])
    wanted = (1 - (a * b).sum(axis=1)).mean() + ((a @ a.T - b @ b.T) ** 2).mean()
    got = distillation_loss(torch.tensor(images), torch.tensor(taught))
    assert float(got) == pytest.approx(wanted, rel=1e-12)


def test_distillation_is_nothing_where_both_agree_or_the_teacher_knows_nothing(
    features: tuple[Matrix, Matrix],
) -> None:
    images = torch.tensor(features[0])
    assert float(distillation_loss(images, 3 * images)) == pytest.approx(0.0, abs=1e-12)
    assert float(distillation_loss(images, torch.full((7, 9), torch.nan))) == 0.0


def test_a_head_leads_into_a_space_of_another_length() -> None:
    assert make_head(8, 8) is None
    head = make_head(4, 8)
    assert head is not None
    images = torch.randn(5, 4)
    # Orthogonal columns keep angles, so that the head starts with the similarities there are.
    assert float(distillation_loss(images, head(images).detach(), head).detach()) == pytest.approx(0.0, abs=1e-5)
