import math

import pytest
import torch

from clipsearch.training.batch import Batch
from clipsearch.training.gradients import backward
from clipsearch.training.learner import Learner, make_learner
from clipsearch.training.loop import train_step
from clipsearch.training.settings import Loss, Precision, Recipe, Tower
from tests.training.tiny_clip import RESNET, VIT, tiny_batch, tiny_clip


def gradients(recipe: Recipe, batch: Batch, **vision: object) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of a step, before any clipping: the optimiser's rate is 0, the bound far away."""
    learner = learner_of(recipe, **vision)
    loss = train_step(learner, batch, recipe)
    return loss, {name: p.grad.clone() for name, p in learner.network.named_parameters() if p.grad is not None}


def learner_of(recipe: Recipe, **vision: object) -> Learner:
    network = tiny_clip(VIT | vision)
    head = torch.nn.Linear(16, 6, bias=False)
    with torch.no_grad():
        head.weight.copy_(torch.arange(96.0).view(6, 16).sin())
    learner = make_learner(network, recipe, 0.0, head)
    if recipe.precision == "float16":  # a scale that the first steps would come to
        learner.scaler.load_state_dict(learner.scaler.state_dict() | {"scale": 2.0**8})
    return learner


@pytest.mark.parametrize("loss", ["clip", "siglip"])
@pytest.mark.parametrize("chunk", [1, 3, 4, 7])
def test_chunks_have_the_gradients_of_the_whole_batch(loss: Loss, chunk: int) -> None:
    batch = tiny_batch(8, columns=2, teacher=6)
    whole = gradients(Recipe(loss=loss, clip_norm=1e9), batch)
    parts = gradients(Recipe(loss=loss, clip_norm=1e9, chunk=chunk), batch)
    assert parts[0] == pytest.approx(whole[0], rel=1e-6)
    assert parts[1].keys() == whole[1].keys()
    for name, gradient in whole[1].items():
        assert torch.allclose(parts[1][name], gradient, atol=1e-6, rtol=1e-4), name


def test_chunks_alone_would_have_other_gradients() -> None:
    """The batch's other pairs matter: what is tested above is not true of the mean over chunks."""
    batch = tiny_batch(8)
    whole = gradients(Recipe(clip_norm=1e9), batch)[1]["visual.proj"]
    halves = [gradients(Recipe(clip_norm=1e9), part)[1]["visual.proj"] for part in batch.chunks(4)]
    assert not torch.allclose(whole, (halves[0] + halves[1]) / 2, rtol=0.05)


def test_both_passes_drop_the_same_patches() -> None:
    batch = tiny_batch(8, side=64)
    recipe = Recipe(clip_norm=1e9, chunk=3)
    seen: list[torch.Tensor] = []
    learner = learner_of(recipe, patch_dropout=0.5, image_size=64)
    learner.network.train()

    def encode(part: Batch) -> list[torch.Tensor]:
        images = learner.network.encode_image(part.images)
        seen.append(images.detach())
        return [images, learner.network.encode_text(part.captions[0])]

    backward(learner.network, encode, lambda f: (f[0] * f[1]).sum(), batch, 3)
    assert len(seen) == 6
    for first, second in zip(seen[:3], seen[3:], strict=True):
        assert torch.equal(first, second)
    assert not torch.allclose(seen[0], learner.network.encode_image(batch.images[:3]))


def test_running_statistics_count_a_batch_once() -> None:
    batch, norm = tiny_batch(6, side=64), "visual.bn1.num_batches_tracked"
    network = tiny_clip(RESNET)
    recipe = Recipe(chunk=2)
    train_step(make_learner(network, recipe, 1e-3), batch, recipe)
    assert int(network.state_dict()[norm]) == 3  # of 3 chunks, in one pass of two


@pytest.mark.parametrize("chunk", [None, 3])
@pytest.mark.parametrize("tower", ["image", "text"])
def test_a_locked_tower_stays_and_the_other_learns(tower: Tower, chunk: int | None) -> None:
    network, recipe = tiny_clip(RESNET), Recipe(lock=tower, chunk=chunk)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    train_step(make_learner(network, recipe, 1e-2), tiny_batch(6, side=64), recipe)
    moved = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    image = {name for name in before if name.startswith("visual.")}
    text = set(before) - image - {"logit_scale", "logit_bias"}
    assert moved & (image if tower == "image" else text) == set()  # statistics included
    assert len(moved & (text if tower == "image" else image)) > 10
    assert "logit_scale" in moved


@pytest.mark.parametrize("chunk", [None, 3])
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_towers_compute_in_half_precision_and_the_loss_in_float32(precision: Precision, chunk: int | None) -> None:
    batch = tiny_batch(8)
    full, half = (gradients(Recipe(precision=p, clip_norm=1e9, chunk=chunk), batch) for p in ("float32", precision))
    assert half[0] == pytest.approx(full[0], rel=0.02)
    assert half[0] != full[0]
    assert {gradient.dtype for gradient in half[1].values()} == {torch.float32}
    for name in ("visual.proj", "logit_scale", "text_projection"):
        assert torch.allclose(half[1][name], full[1][name], atol=0.05 * float(full[1][name].abs().max())), name


def test_an_overflow_moves_nothing_and_halves_the_scale_which_a_checkpoint_keeps() -> None:
    recipe = Recipe(precision="float16")
    learner = make_learner(tiny_clip(), recipe, 1e-2)
    learner.scaler.load_state_dict(learner.scaler.state_dict() | {"scale": 2.0**40})
    before = {name: value.clone() for name, value in learner.network.named_parameters()}
    assert math.isfinite(train_step(learner, tiny_batch(8), recipe))
    assert all(torch.equal(value, before[name]) for name, value in learner.network.named_parameters())
    assert learner.scaler.get_scale() == 2.0**39
    other = make_learner(tiny_clip(), recipe, 1e-2)
    other.restore(learner.state())
    assert other.scaler.get_scale() == 2.0**39
    other.scaler.load_state_dict(other.scaler.state_dict() | {"scale": 2.0**10})
    train_step(other, tiny_batch(8), recipe)
    assert not torch.equal(other.network.visual.proj, before["visual.proj"])
