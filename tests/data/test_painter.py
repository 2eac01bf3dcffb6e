from dataclasses import replace

import numpy as np
import pytest
from scenes.painter import paint, paint_sharp
from scenes.places import PLACES
from scenes.scene import Item, Scene, random_scene
from scenes.sprites import font_available, sprite
from scenes.things import COLOURS, things

pytestmark = pytest.mark.skipif(not font_available(), reason="the colour glyph font is not installed")


def pixels(scene: Scene, width: int = 160, height: int = 120) -> np.ndarray:
    return np.asarray(paint(scene, width, height)).astype(int)


def test_painting_is_fixed_by_scene_and_size() -> None:
    for seed in range(8):
        scene = random_scene(seed, "train")
        assert np.array_equal(pixels(scene), pixels(scene))


def test_another_seed_paints_another_picture() -> None:
    scene = random_scene(1, "train")
    assert not np.array_equal(pixels(scene), pixels(replace(scene, seed=scene.seed + 1)))


@pytest.mark.parametrize("place", PLACES)
def test_every_place_can_be_painted_in_any_shape(place: str) -> None:
    for size in ((150, 60), (60, 110)):
        image = paint(Scene(place, (Item("dog"),), seed=3), *size)
        assert image.size == size
        assert image.mode == "RGB"
        assert np.asarray(image).std() > 5


def test_every_thing_has_a_sprite_with_ink() -> None:
    for thing in things().values():
        image = sprite(thing.name, "red" if thing.is_shape else "")
        alpha = np.asarray(image.getchannel("A"))
        assert (alpha > 128).mean() > 0.1, thing.name


@pytest.mark.parametrize(("colour", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
def test_a_recoloured_car_has_its_colour(colour: str, channel: int) -> None:
    rgba = np.asarray(sprite("car", colour)).astype(int)
    ink = rgba[rgba[..., 3] > 200][:, :3]
    saturated = ink[ink.max(axis=1) - ink.min(axis=1) > 90]
    assert len(saturated) > 0.3 * len(ink)
    assert (saturated.argmax(axis=1) == channel).mean() > 0.8


def test_all_colours_of_a_thing_differ() -> None:
    seen = {sprite("balloon", colour).tobytes() for colour in COLOURS}
    assert len(seen) == len(COLOURS)


def centre_of(scene: Scene) -> tuple[float, float]:
    """Centre of the red pixels, as fractions of the picture."""
    picture = pixels(scene)
    red = (picture[..., 0] > 170) & (picture[..., 1] < 90) & (picture[..., 2] < 90)
    ys, xs = np.nonzero(red)
    return float(xs.mean()) / picture.shape[1], float(ys.mean()) / picture.shape[0]


@pytest.mark.parametrize("seed", range(6))
def test_a_single_thing_stands_where_the_scene_says(seed: int) -> None:
    scene = Scene("meadow", (Item("square", "red"),), seed=seed)
    assert centre_of(replace(scene, spot="left"))[0] < 0.45
    assert centre_of(replace(scene, spot="right"))[0] > 0.55
    assert centre_of(replace(scene, spot="top"))[1] < 0.45
    assert centre_of(replace(scene, spot="bottom"))[1] > 0.55


@pytest.mark.parametrize("seed", range(4))
def test_rows_go_from_left_to_right_and_stacks_from_top_to_bottom(seed: int) -> None:
    red, white = Item("square", "red"), Item("circle", "white")
    assert centre_of(Scene("meadow", (red, white), seed=seed))[0] < 0.5
    assert centre_of(Scene("meadow", (white, red), seed=seed))[0] > 0.5
    assert centre_of(Scene("meadow", (red, white), layout="stack", seed=seed))[1] < 0.5


def test_night_is_darker_than_day() -> None:
    scene = Scene("beach", (Item("dog"),), seed=4)
    assert pixels(replace(scene, time="night")).mean() < 0.6 * pixels(scene).mean()


def test_the_sharp_painting_has_the_size_asked_for() -> None:
    assert paint_sharp(random_scene(2, "train"), 90, 70).size == (90, 70)
