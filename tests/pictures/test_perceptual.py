"""What a picture looks like in 64 bits, and how sharp it is."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from clipsearch.pictures import appearance, read_picture

GALLERY = sorted((Path(__file__).parents[2] / "clipsearch/gallery").glob("[b-z]*/*.jp*g"))[::9]


def differing(one: int, other: int) -> int:
    return ((one ^ other) & (2**64 - 1)).bit_count()


@pytest.fixture(scope="module")
def scenes() -> list[Image.Image]:
    """Painted scenes, no two alike."""
    return [read_picture(path).image for path in GALLERY]


@pytest.fixture
def copied(encode):
    """A picture after being saved as a JPEG."""
    return lambda image, quality=90: read_picture(encode(image, "jpeg", quality=quality)).image


def by_definition(grey: np.ndarray) -> tuple[int, list[float]]:
    """The hash of 32 x 32 greys, written out, and the coefficients it comes of."""
    bits, found = 0, []
    for total in range(1, 11):
        for row in range(total + 1):
            if len(found) == 64:
                break
            terms = (
                grey[y, x] * math.cos(math.pi * (2 * y + 1) * row / 64) * math.cos(math.pi * (2 * x + 1) * column / 64)
                for column in [total - row]
                for y in range(32)
                for x in range(32)
            )
            found.append(sum(terms))
            bits = bits << 1 | int(found[-1] > 16)
    return bits - (1 << 64 if bits >> 63 else 0), found


@pytest.mark.parametrize("number", range(3))
def test_the_hash_is_the_signs_of_the_lowest_frequencies(scenes, number):
    square = scenes[number].convert("L").resize((256, 256), Image.Resampling.BOX)
    grey = np.asarray(square.reduce(4).resize((32, 32), Image.Resampling.BILINEAR), dtype=np.float64)
    expected, coefficients = by_definition(grey)
    assert min(abs(value - 16) for value in coefficients) > 0.1  # else rounding might decide
    assert appearance(scenes[number]).perceptual_hash == expected


def test_values_that_indexes_hold_do_not_change_with_the_code():
    waves = np.add.outer(np.sin(np.arange(256) / 20), np.cos(np.arange(256) / 33)) * 50 + 120
    ramp = np.linspace(0, 255, 256).astype(np.uint8)
    pictures = {
        "waves": waves.astype(np.uint8),
        "ramp": np.tile(ramp, (256, 1)),
        "ramp down": np.tile(ramp, (256, 1)).T,
    }
    found = {name: appearance(Image.fromarray(grey).convert("RGB")) for name, grey in pictures.items()}
    assert {name: looks.perceptual_hash for name, looks in found.items()} == {
        "waves": 7964053059771301888,
        "ramp": 0,
        "ramp down": 0,
    }
    assert found["waves"].sharpness == pytest.approx(1.96, rel=0.01)
    assert found["ramp"].sharpness == 0


def test_copies_have_nearly_the_same_hash_and_other_pictures_do_not(scenes, copied):
    looks = [appearance(scene).perceptual_hash for scene in scenes]
    for scene, own in zip(scenes, looks, strict=True):
        half = scene.resize((scene.width // 2, scene.height // 2), Image.Resampling.BICUBIC)
        brighter = ImageEnhance.Brightness(scene).enhance(1.1)
        for copy in (copied(scene, 30), copied(half), copied(brighter), scene.resize((1024, 768))):
            assert differing(appearance(copy).perceptual_hash, own) <= 8
        assert differing(appearance(scene.transpose(Image.Transpose.FLIP_LEFT_RIGHT)).perceptual_hash, own) > 12
    others = [differing(a, b) for i, a in enumerate(looks) for b in looks[:i]]
    assert min(others) > 12
    assert 30 < np.mean(others) < 34
    assert any(own < 0 for own in looks)
    assert any(own > 0 for own in looks)


@pytest.mark.parametrize("colour", ["black", "white", "red", "#123456"])
def test_a_picture_of_one_colour_has_no_features(copied, colour):
    flat = Image.new("RGB", (300, 200), colour)
    for image in (flat, copied(flat, 30), flat.resize((3, 2))):
        assert (appearance(image).perceptual_hash, appearance(image).sharpness) == (0, 0)


def test_blur_is_less_sharp_and_noise_sharper(scenes):
    for scene in scenes:
        sharp = appearance(scene).sharpness
        assert appearance(scene.filter(ImageFilter.GaussianBlur(1))).sharpness < 0.7 * sharp
        assert appearance(scene.filter(ImageFilter.GaussianBlur(3))).sharpness < 0.15 * sharp
        noise = np.random.default_rng(0).normal(0, 20, (scene.height, scene.width, 3))
        noisy = Image.fromarray(np.clip(np.asarray(scene) + noise, 0, 255).astype(np.uint8))
        assert appearance(noisy).sharpness > sharp


def test_sharpness_by_definition():
    grey = np.random.default_rng(1).integers(0, 256, (256, 256), dtype=np.uint8)
    wide = grey.astype(np.float64)
    laplacian = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] - 4 * wide[1:-1, 1:-1]
    found = appearance(Image.fromarray(grey).convert("RGB")).sharpness
    assert found == pytest.approx(laplacian.var(), rel=1e-5)


def test_enlarging_makes_nothing_sharper(scenes):
    for scene in scenes[:5]:
        small = scene.resize((120, 90), Image.Resampling.BICUBIC)
        for factor in (2, 3, 8):
            large = small.resize((120 * factor, 90 * factor), Image.Resampling.BILINEAR)
            assert appearance(large).sharpness < 1.4 * appearance(small).sharpness


def test_what_a_model_reads_makes_hardly_a_difference(scenes, encode):
    """A JPEG may be decoded at a fraction of its size, which depends on the model."""
    for scene in scenes:
        data = encode(scene.resize((1600, 1200), Image.Resampling.BICUBIC), "jpeg", quality=90)
        full = read_picture(data).image
        for side in (128, 224, 384):
            drafted = read_picture(data, draft=(side, side)).image
            assert drafted.width < full.width or side == 384
            assert differing(appearance(drafted).perceptual_hash, appearance(full).perceptual_hash) <= 2
            assert appearance(drafted).sharpness == pytest.approx(appearance(full).sharpness, rel=0.25)


def test_the_upright_picture_counts(scenes, encode):
    turned = Image.Exif()
    turned[0x0112] = 6
    on_its_side = scenes[0].transpose(Image.Transpose.ROTATE_90)
    upright = appearance(read_picture(encode(scenes[0], "png")).image)
    assert appearance(read_picture(encode(on_its_side, "png", exif=turned)).image) == upright


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 3000), (3000, 2), (255, 257)])
def test_any_size(size):
    noise = np.random.default_rng(2).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    looks = appearance(Image.fromarray(noise))
    assert -(2**63) <= looks.perceptual_hash < 2**63
    assert math.isfinite(looks.sharpness)
    assert looks.sharpness >= 0


def test_exposure_is_the_mean_grey_level(scenes):
    for shade in (0, 51, 255):
        assert appearance(Image.new("RGB", (40, 30), (shade,) * 3)).exposure == pytest.approx(shade / 255, abs=1e-6)
    for scene in scenes[:3]:
        plain = float(np.asarray(scene.convert("L"), dtype=np.float64).mean()) / 255
        assert appearance(scene).exposure == pytest.approx(plain, abs=0.01)
        assert appearance(ImageEnhance.Brightness(scene).enhance(0.5)).exposure < 0.6 * plain
