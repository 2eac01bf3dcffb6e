from itertools import combinations
from random import Random

import pytest
from scenes.gallery_plan import DEMOS, everyday_scene, gallery_scenes
from scenes.places import PLACES, TIMES, WEATHERS
from scenes.scene import Item, Scene, random_scene
from scenes.splits import DEMO_PAIRS, HELD_OUT_SHARE, held_out, is_training_scene
from scenes.things import COLOURS, things


def pairs(scene: Scene) -> list[tuple[str, str]]:
    names = [item.thing for item in scene.items]
    return [(name, scene.place) for name in names] + list(combinations(names, 2))


def test_the_vocabulary_is_as_large_as_promised() -> None:
    assert len(things()) >= 150
    assert len(PLACES) >= 12
    assert len({thing.glyph for thing in things().values()}) == len(things())


def test_equal_seeds_give_equal_scenes_and_others_differ() -> None:
    first = [random_scene(seed, "train") for seed in range(50)]
    assert first == [random_scene(seed, "train") for seed in range(50)]
    assert len(set(first)) == 50


def test_a_scene_of_a_seed_never_changes() -> None:
    scene = random_scene(1_000_000, "held-out")
    again = random_scene(1_000_000, "held-out")
    assert (scene.place, scene.items, scene.seed) == (again.place, again.items, again.seed)


def test_training_scenes_show_no_held_out_combination() -> None:
    for seed in range(400):
        assert not any(held_out(*pair) for pair in pairs(random_scene(seed, "train")))


def test_every_held_out_scene_shows_a_held_out_combination() -> None:
    for seed in range(200):
        assert any(held_out(*pair) for pair in pairs(random_scene(seed, "held-out")))


def test_the_split_ignores_the_order_of_a_pair_of_things() -> None:
    names = list(things())[:40]
    assert all(held_out(a, b) == held_out(b, a) for a, b in combinations(names, 2))


def test_about_the_promised_share_of_pairs_is_held_out() -> None:
    found = [held_out(a, b) for a, b in combinations(things(), 2)]
    assert sum(found) / len(found) == pytest.approx(HELD_OUT_SHARE, abs=0.01)


def test_every_thing_is_trained_on_some_background() -> None:
    for name in things():
        found = {held_out(name, place) for place in PLACES}
        assert False in found


def test_scenes_use_known_words_only() -> None:
    for seed in range(200):
        scene = random_scene(seed, "train")
        assert scene.place in PLACES
        assert scene.time in TIMES
        assert scene.weather in WEATHERS
        assert all(item.thing in things() and item.colour in ("", *COLOURS) for item in scene.items)
        assert 0.55 <= scene.aspect <= 2.6


def test_indoor_and_space_scenes_have_no_weather() -> None:
    scenes = [random_scene(seed, "train") for seed in range(600)]
    closed = [scene for scene in scenes if not PLACES[scene.place].outdoors]
    assert closed
    assert all((scene.time, scene.weather) == ("day", "clear") for scene in closed)


def test_demo_pairs_are_held_out() -> None:
    assert all(held_out(*pair) for pair in DEMO_PAIRS)
    assert all(name in things() and place in PLACES for name, place in DEMO_PAIRS)


def test_no_gallery_scene_could_be_a_training_scene() -> None:
    for scene in gallery_scenes(Random(3), 4, 100):
        assert not is_training_scene([item.thing for item in scene.items], scene.place)


def test_every_demo_query_gets_its_pictures() -> None:
    scenes = list(gallery_scenes(Random(3), 4, 0))
    assert len(scenes) == 4 * len(DEMOS)
    for index, demo in enumerate(DEMOS):
        for scene in scenes[4 * index : 4 * index + 4]:
            wanted = {(item.thing, item.colour, item.count) for item in demo.items}
            assert scene.place == demo.place
            assert wanted <= {(item.thing, item.colour, item.count) for item in scene.items}


def test_everyday_scenes_are_drawn_from_the_seed() -> None:
    assert everyday_scene(Random(5)) == everyday_scene(Random(5))


def test_shapes_always_have_a_colour() -> None:
    shapes = [
        item for seed in range(3000) for item in random_scene(seed, "train").items if things()[item.thing].is_shape
    ]
    assert shapes
    assert all(item.colour for item in shapes)


def test_items_are_values() -> None:
    assert Item("dog", count=2) == Item("dog", "", 2, "medium")
