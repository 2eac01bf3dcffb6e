"""Pictures varied, recall measured, curves drawn."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clipsearch.pictures import fit
from clipsearch.training.augment import augmented
from clipsearch.training.curves import draw_curves
from clipsearch.training.recall import recall
from clipsearch.types import Preprocessing

SQUASH = Preprocessing(32, 24, "squash")


def halves(width: int = 80, height: int = 60) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    return image


def test_without_augmentation_a_picture_is_what_a_search_reads() -> None:
    assert np.array_equal(augmented(halves(), SQUASH, "none", "", Random(1)), fit(halves(), SQUASH))


@pytest.mark.parametrize("how", ["light", "strong"])
def test_a_variation_follows_from_its_random_numbers(how: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8))
    one, same, other = (augmented(noise, SQUASH, how, "", Random(seed)) for seed in (1, 1, 2))
    assert one.shape == (24, 32, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_pictures_are_mirrored_unless_their_caption_tells_the_sides_apart() -> None:
    def red_left(caption: str) -> float:
        found = [augmented(halves(), SQUASH, "strong", caption, Random(seed)) for seed in range(80)]
        return float(np.mean([int(p[:, 0, 0].sum()) >= int(p[:, -1, 0].sum()) for p in found]))

    assert 0.3 < red_left("a flag") < 0.75
    assert red_left("red on the left") == 1.0
    assert red_left("Words on a wall") == 1.0


@pytest.mark.parametrize("mode", ["squash", "shortest", "longest"])
@pytest.mark.parametrize("size", [(1, 1), (300, 4), (33, 90)])
def test_pictures_of_any_shape_can_be_varied(mode: str, size: tuple[int, int]) -> None:
    for seed in range(5):
        assert augmented(halves(*size), Preprocessing(32, 32, mode), "light", "", Random(seed)).shape == (32, 32, 3)


def test_a_crop_keeps_the_proportions_of_what_a_search_crops() -> None:
    """Of a wide picture, a model that reads its middle is shown a square-like part, not all of it squeezed."""
    wide = Image.fromarray(np.tile(np.arange(200, dtype=np.uint8), (50, 1))).convert("RGB")
    shown = [augmented(wide, Preprocessing(32, 32), "light", "", Random(seed)) for seed in range(20)]
    spans = [int(p[16, -1, 0]) - int(p[16, 0, 0]) for p in shown]
    assert 30 < np.mean(spans) < 80


@given(st.integers(1, 12), st.integers(1, 3), st.integers(0, 999))
def test_recall_is_that_of_sorting(pictures: int, captions: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(pictures, 4)).astype(np.float32)
    texts = rng.normal(size=(pictures * captions, 4)).astype(np.float32)
    owner = np.repeat(np.arange(pictures), captions)
    found = recall(images, texts, owner)
    scores = texts @ images.T
    for k in (1, 5, 10):
        by_text = [owner[row] in np.argsort(-scores[row])[:k] for row in range(len(texts))]
        by_image = [row in owner[np.argsort(-scores[:, row])[:k]] for row in range(pictures)]
        assert found[f"text_to_image_r{k}"] == pytest.approx(np.mean(by_text))
        assert found[f"image_to_text_r{k}"] == pytest.approx(np.mean(by_image))


def test_a_model_that_cannot_tell_has_no_recall() -> None:
    same = np.ones((12, 3), np.float32)
    assert recall(same, same, np.arange(12)) == dict.fromkeys(recall(same, same, np.arange(12)), 0.0)


def test_curves_show_loss_and_recall(tmp_path: Path) -> None:
    log = [{"step": step, "loss": 4 - step / 100} for step in range(1, 301)]
    draw_curves(log, tmp_path / "loss.png")
    recalls = [{"step": s, **{f"text_to_image_r{k}": s * k / 3000 for k in (1, 5, 10)}} for s in (100, 200, 300)]
    draw_curves([*log, *recalls], tmp_path / "both.png")
    one, both = (Image.open(tmp_path / name) for name in ("loss.png", "both.png"))
    assert both.size == (2 * one.width, one.height)
    blue = np.asarray(one.convert("RGB")).astype(int)
    where = np.argwhere((blue[:, :, 2] > 150) & (blue[:, :, 0] < 90))
    first, last = (where[where[:, 1] == x][:, 0].mean() for x in (where[:, 1].min(), where[:, 1].max()))
    assert last > first + 100  # the loss falls
    assert sorted(path.name for path in tmp_path.iterdir()) == ["both.png", "loss.png"]
