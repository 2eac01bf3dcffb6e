import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from open_clip.model import CLIP
from torch import nn

from clipsearch.training.loop import Report, Settings, train
from clipsearch.training.losses import MAX_SCALE, START_TEMPERATURE, clamp_scale_, clip_loss
from clipsearch.training.optimizer import make_optimizer
from clipsearch.training.schedule import warmup_cosine
from clipsearch.training.text import encode_text_trimmed
from clipsearch.training.vision import encode_image_any_size
from clipsearch.training.workers import gather_features, sum_gradients

CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 64},
    "text_cfg": {"context_length": 12, "vocab_size": 50, "width": 16, "heads": 2, "layers": 2},
}
END = 49


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny layers run many times slower where two threads wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny_model() -> CLIP:
    torch.manual_seed(0)
    return CLIP(**CONFIG)


def tiny_tokens(lengths: list[int]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.zeros(len(lengths), 12, dtype=torch.long)
    for row, length in enumerate(lengths):
        tokens[row, :length] = torch.randint(1, 48, (length,), generator=generator)
        tokens[row, length] = END
    return tokens


def reference_loss(images: NDArray[np.float64], texts: NDArray[np.float64], log_scale: float) -> float:
    """Figure 3 of Radford et al. 2021, in NumPy float64."""
    images = images / np.linalg.norm(images, axis=1, keepdims=True)
    texts = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    logits = np.exp(log_scale) * images @ texts.T

    def cross_entropy(rows: NDArray[np.float64]) -> float:
        top = rows.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(rows - top).sum(axis=1)) + top[:, 0]
        return float((log_sum - np.diag(rows)).mean())

    return (cross_entropy(logits) + cross_entropy(logits.T)) / 2


@pytest.fixture
def features() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(3)
    return rng.normal(size=(7, 5)), rng.normal(size=(7, 5))


@pytest.mark.parametrize("log_scale", [0.0, 1.7, math.log(1 / START_TEMPERATURE), math.log(MAX_SCALE)])
def test_the_loss_equals_the_papers(features: tuple[NDArray[np.float64], ...], log_scale: float) -> None:
    images, texts = features
    got = clip_loss(torch.tensor(images), torch.tensor(texts), torch.tensor(log_scale, dtype=torch.float64))
    assert float(got) == pytest.approx(reference_loss(images, texts, log_scale), rel=1e-12)


def test_gradients_equal_finite_differences(features: tuple[NDArray[np.float64], ...]) -> None:
    images, texts = (torch.tensor(part, requires_grad=True) for part in features)
    scale = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    clip_loss(images, texts, scale).backward()  # type: ignore[no-untyped-call]
    step = 1e-6
    plain = [part.copy() for part in features]

    def slope(part: int, row: int, column: int) -> float:
        values = []
        for sign in (1, -1):
            moved = [p.copy() for p in plain]
            moved[part][row, column] += sign * step
            values.append(reference_loss(moved[0], moved[1], 1.3))
        return (values[0] - values[1]) / (2 * step)

    for part, tensor in enumerate((images, texts)):
        assert tensor.grad is not None
        for row, column in ((0, 0), (3, 2), (6, 4)):
            assert float(tensor.grad[row, column]) == pytest.approx(slope(part, row, column), abs=1e-8)
    wanted = (reference_loss(*plain, 1.3 + step) - reference_loss(*plain, 1.3 - step)) / (2 * step)
    assert scale.grad is not None
    assert float(scale.grad) == pytest.approx(wanted, abs=1e-8)


def test_matching_rows_have_a_lower_loss_than_shuffled_ones() -> None:
    rows = torch.eye(6)
    scale = torch.tensor(3.0)
    assert clip_loss(rows, rows, scale) < 0.3
    assert clip_loss(rows, rows.roll(1, 0), scale) > 10


def test_the_loss_refuses_features_that_do_not_match() -> None:
    with pytest.raises(ValueError, match="matching rows"):
        clip_loss(torch.zeros(3, 4), torch.zeros(2, 4), torch.tensor(0.0))


@pytest.mark.parametrize(("before", "after"), [(9.0, math.log(MAX_SCALE)), (-2.0, 0.0), (2.5, 2.5)])
def test_the_temperature_stays_in_its_range(before: float, after: float) -> None:
    scale = torch.tensor(before)
    clamp_scale_(scale)
    assert float(scale) == pytest.approx(after)


def test_warmup_rises_and_the_cosine_falls_to_zero() -> None:
    assert [warmup_cosine(p, 0.1) for p in (0.0, 0.05, 0.1)] == pytest.approx([0.0, 0.5, 1.0])
    assert warmup_cosine(0.55, 0.1) == pytest.approx(0.5)
    assert warmup_cosine(1.0, 0.1) == pytest.approx(0.0)
    assert warmup_cosine(1.2, 0.1) == pytest.approx(0.0)
    with pytest.raises(ValueError, match="warm-up"):
        warmup_cosine(0.5, 1.0)


def test_norms_biases_positions_and_temperature_do_not_decay() -> None:
    model = tiny_model()
    optimizer = make_optimizer(model, 0.1, 0.3)
    by_id = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    decay = {name: by_id[id(p)] for name, p in model.named_parameters()}
    assert len(decay) == len(by_id)
    assert decay["visual.conv1.weight"] == decay["token_embedding.weight"] == 0.3
    for name in (
        "logit_scale",
        "positional_embedding",
        "visual.bn1.weight",
        "ln_final.bias",
        "visual.attnpool.positional_embedding",
        "visual.attnpool.q_proj.bias",
    ):
        assert decay[name] == 0.0


def test_trimmed_texts_have_the_features_of_padded_ones() -> None:
    model, tokens = tiny_model().eval(), tiny_tokens([3, 11, 1, 5, 5, 2, 8])
    with torch.no_grad():
        assert torch.allclose(encode_text_trimmed(model, tokens), model.encode_text(tokens), atol=1e-5)


def test_images_of_the_models_size_have_its_own_features() -> None:
    model, images = tiny_model().eval(), torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(encode_image_any_size(model, images), model.encode_image(images), atol=1e-6)


def test_other_sizes_train_the_models_own_position_table() -> None:
    model = tiny_model()
    for block in (model.visual.layer1, model.visual.layer4):
        nn.init.ones_(block[0].bn3.weight)
    features = encode_image_any_size(model, torch.rand(2, 3, 96, 32))
    assert features.shape == (2, 16)
    features.pow(2).sum().backward()
    assert model.visual.attnpool.positional_embedding.grad.abs().sum() > 0


def test_the_loop_learns_and_reports(tmp_path: Path) -> None:
    model, tokens = tiny_model(), tiny_tokens([2, 3, 4, 5, 6, 7, 8, 9])
    images = torch.rand(8, 3, 64, 64)
    reports: list[Report] = []
    saved: list[int] = []
    settings = Settings(steps=40, lr=3e-3, log_every=10, checkpoint_every=20)
    assert train(model, lambda step, progress: (images, [tokens]), settings, reports.append, saved.append) == 40
    assert saved == [20, 40]
    assert [report.step for report in reports] == [10, 20, 30, 40]
    assert reports[-1].loss < 0.5 * reports[0].loss
    assert 1.0 <= reports[-1].scale <= MAX_SCALE


def test_a_run_by_time_ends() -> None:
    model, tokens = tiny_model(), tiny_tokens([2, 3, 4, 5])
    images = torch.rand(4, 3, 64, 64)
    steps = train(
        model,
        lambda step, progress: (images, [tokens]),
        Settings(steps=0, minutes=0.01),
        lambda _: None,
        lambda _: None,
    )
    assert steps >= 1


def _worker(rank: int, meeting: str, out: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    torch.save(_gradients(slice(4 * rank, 4 * rank + 4)), f"{out}/{rank}.pt")
    torch.distributed.destroy_process_group()


def _gradients(rows: slice) -> list[torch.Tensor]:
    torch.manual_seed(5)
    model = nn.ModuleDict({"image": nn.Linear(6, 4), "text": nn.Linear(5, 4)})
    model.register_parameter("logit_scale", nn.Parameter(torch.tensor(1.5)))
    images, texts = torch.randn(8, 6), torch.randn(8, 5)
    scale = model.get_parameter("logit_scale")
    clip_loss(
        gather_features(model["image"](images[rows])), gather_features(model["text"](texts[rows])), scale
    ).backward()
    sum_gradients(model, scale)
    return [p.grad.clone() for p in model.parameters() if p.grad is not None]


@pytest.mark.slow
def test_two_workers_have_the_gradients_of_one(tmp_path: Path) -> None:
    processes = torch.multiprocessing.get_context("fork")
    workers = [
        processes.Process(target=_worker, args=(rank, str(tmp_path / "meeting"), str(tmp_path))) for rank in (0, 1)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    alone = _gradients(slice(0, 8))
    for rank in (0, 1):
        for got, wanted in zip(torch.load(tmp_path / f"{rank}.pt"), alone, strict=True):
            assert torch.allclose(got, wanted, atol=1e-6)
