from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image

from clipsearch.pictures import fit, read_picture
from clipsearch.types import Preprocessing

MODES = ("shortest", "longest", "squash")
FILTERS = ("bicubic", "bilinear")
BOTH = list(itertools.product(MODES, FILTERS))


@pytest.fixture
def by_simd():
    pytest.importorskip("cykooz_resizer")


def reference(image: Image.Image, wanted: Preprocessing) -> np.ndarray:
    """open_clip's own transform, up to the array before ToTensor."""
    transform = pytest.importorskip("open_clip.transform").image_transform(
        (wanted.height, wanted.width),
        is_train=False,
        resize_mode=wanted.resize_mode,
        interpolation=wanted.interpolation,
        fill_color=wanted.fill,
    )
    for step in transform.transforms[:-2]:
        image = step(image)
    return np.asarray(image)


def difference(image: Image.Image, wanted: Preprocessing) -> np.ndarray:
    return np.abs(fit(image, wanted).astype(np.int16) - reference(image, wanted))


def of_photos(photos, wanted):
    """(name, difference) of some photos, as they are and on their side."""
    for photo in photos[::20]:
        image = read_picture(photo).image
        for turned in (image, image.transpose(Image.Transpose.ROTATE_90)):
            yield photo.name, difference(turned, wanted)


def worst(image: Image.Image, wanted: Preprocessing) -> int:
    pixels = fit(image, wanted)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (wanted.height, wanted.width, 3)
    assert pixels.flags.writeable
    return int(np.abs(pixels.astype(np.int16) - reference(image, wanted)).max())


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8))


@pytest.mark.parametrize(("mode", "interpolation"), BOTH)
@pytest.mark.parametrize("target", [(224, 224), (112, 160), (97, 61)])
def test_equals_open_clip_on_generated_pictures(mode, interpolation, target, by_pillow):
    wanted = Preprocessing(*target, resize_mode=mode, interpolation=interpolation, fill=127)
    for size in [(640, 480), (481, 333), (224, 224), (225, 224), (100, 31), (1, 1), (2, 3), (333, 999), (1999, 600)]:
        assert worst(noise(*size), wanted) <= 1, size


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("size", [(2000, 3), (3, 2000), (1200, 200), (200, 1200)])
def test_long_pictures_are_nearly_equal(interpolation, size, by_pillow):
    # open_clip makes 149,333 x 224 pixels of the first, to keep 224 x 224 of them.
    wanted = Preprocessing(224, 224, "shortest", interpolation)
    smooth = noise(3, 3).resize(size, Image.Resampling.BICUBIC)
    assert worst(smooth, wanted) <= 2
    assert difference(noise(*size), wanted).mean() < 0.6


def test_what_open_clip_cannot_do():
    """It rounds the short side of a line to nothing, and fails."""
    pixels = fit(Image.new("RGB", (2000, 3), "white"), Preprocessing(224, 224, "longest", fill=9))
    assert (pixels == 9).all(axis=(1, 2)).sum() == 223
    assert (pixels[111] == 255).all()


@pytest.mark.parametrize(("mode", "interpolation"), BOTH)
def test_equals_open_clip_on_photos(mode, interpolation, photos, by_pillow):
    wanted = Preprocessing(224, 224, resize_mode=mode, interpolation=interpolation)
    for name, off in of_photos(photos, wanted):
        # In one step with the crop, Pillow rounds in another place now and then.
        assert off.max() <= 1, name
        assert off.mean() < 0.01, name


@pytest.mark.parametrize(("mode", "interpolation"), BOTH)
def test_vector_instructions_round_elsewhere_and_no_more(mode, interpolation, photos, by_simd):
    wanted = Preprocessing(224, 224, resize_mode=mode, interpolation=interpolation)
    for name, off in of_photos(photos, wanted):
        assert (off > 1).mean() < 0.01, name
        assert off.mean() < 0.3, name


@pytest.mark.parametrize(("mode", "interpolation"), BOTH)
def test_vector_instructions_on_noise_of_any_size(mode, interpolation, by_simd):
    """Where a kernel overshoots black or white, the order of rows and columns shows: by more, but in few places."""
    wanted = Preprocessing(112, 160, resize_mode=mode, interpolation=interpolation, fill=127)
    for size in [(640, 480), (481, 333), (225, 224), (100, 31), (1, 1), (2, 3), (333, 999), (1999, 600), (2000, 3)]:
        if size == (2000, 3) and mode != "shortest":
            continue  # what open_clip cannot do
        assert worst(noise(*size), wanted) < 32
        assert difference(noise(*size), wanted).mean() < 1, size


def test_draft_keeps_the_pixels(photos, encode):
    """Decoding at a fraction must stay far closer than decoding at the target's own size would be."""
    wanted = Preprocessing(224, 224)
    for photo in photos[:4]:
        large = read_picture(photo).image.resize((4000, 3000), Image.Resampling.LANCZOS)
        data = encode(large, "JPEG", quality=90)
        whole = fit(read_picture(data).image, wanted).astype(np.int16)
        drafted = read_picture(data, draft=(wanted.width, wanted.height))
        too_small = read_picture(data, draft=(wanted.width // 2, wanted.height // 2))
        assert drafted.image.size == (1000, 750)
        assert (drafted.facts.width, drafted.facts.height) == (4000, 3000)
        assert np.abs(fit(drafted.image, wanted) - whole).mean() < 0.35
        assert np.abs(fit(too_small.image, wanted) - whole).mean() > 0.35


@pytest.mark.parametrize(
    ("size", "orientation", "target", "decoded"),
    [
        ((1600, 900), 1, (224, 224), (800, 450)),
        ((1600, 895), 1, (224, 224), (1600, 895)),  # half of it would be 447 high, less than twice 224
        ((3600, 1800), 6, (224, 448), (450, 900)),
        ((3600, 1800), 1, (224, 448), (1800, 900)),
        ((300, 200), 1, (224, 224), (300, 200)),
    ],
)
def test_draft_is_at_least_twice_the_target(size, orientation, target, decoded, encode):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read_picture(encode(Image.new("RGB", size), "JPEG", exif=exif), draft=target)
    assert picture.image.size == decoded
    assert (picture.facts.width, picture.facts.height) == (size[::-1] if orientation == 6 else size)
