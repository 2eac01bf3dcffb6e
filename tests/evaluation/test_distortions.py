from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from clipsearch.evaluation.distortions import DISTORTIONS, at_scale


@pytest.fixture
def picture() -> Image.Image:
    return at_scale(Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)))


def spoilt(name: str, picture: Image.Image, seed: int = 0) -> np.ndarray:
    return np.asarray(DISTORTIONS[name].apply(picture, seed), np.float64)


def test_the_shorter_side_is_256(picture):
    assert picture.size == (341, 256)
    assert at_scale(Image.new("RGB", (3000, 10))).size == (76800, 256)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_a_distortion_is_always_the_same_and_leaves_the_picture_alone(name, picture):
    before = np.asarray(picture).copy()
    assert (spoilt(name, picture, 3) == spoilt(name, picture, 3)).all()
    assert (np.asarray(picture) == before).all()
    assert DISTORTIONS[name].apply(picture, 3).mode == "RGB"


def test_each_does_what_it_says(picture):
    pixels = np.asarray(picture, np.float64)
    assert (spoilt("none", picture) == pixels).all()
    assert (spoilt("turn", picture) == np.rot90(pixels)).all()
    assert spoilt("blur", picture).std() < 0.6 * pixels.std()
    grey = spoilt("greyscale", picture)
    assert np.allclose(grey, (pixels @ [0.299, 0.587, 0.114])[..., None], atol=1)  # ITU-R BT.601
    flat = Image.new("RGB", (400, 300), (128, 128, 128))
    assert (spoilt("noise", flat) - 128).std() == pytest.approx(30, abs=0.5)
    assert (spoilt("noise", flat, 0) != spoilt("noise", flat, 1)).any()
    assert 1 < np.abs(spoilt("jpeg", picture) - pixels).mean() < 60


def test_a_crop_is_a_piece_of_the_picture(picture):
    pixels = np.asarray(picture)
    for seed in range(5):
        piece = np.asarray(DISTORTIONS["crop"].apply(picture, seed))
        assert piece.shape == (179, 239, 3)
        windows = np.lib.stride_tricks.sliding_window_view(pixels[..., 0], (1, 239))
        assert (windows[:, :, 0] == piece[0, :, 0]).all(axis=-1).any()


def test_a_rotated_picture_keeps_its_size_and_its_middle(picture):
    disc = Image.new("RGB", (400, 256), "white")
    disc.paste((255, 0, 0), (190, 118, 210, 138))
    for seed in (0, 1):
        turned = DISTORTIONS["rotation"].apply(disc, seed)
        assert turned.size == disc.size
        assert turned.getpixel((200, 128)) == (255, 0, 0)
        assert turned.getpixel((0, 0)) == (128, 128, 128) or turned.getpixel((0, 255)) == (128, 128, 128)
    assert DISTORTIONS["rotation"].apply(disc, 0) != DISTORTIONS["rotation"].apply(disc, 1)
