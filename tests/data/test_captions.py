import re
from random import Random

import pytest
from scenes.captions import caption, evaluation_caption, training_caption
from scenes.places import PLACES
from scenes.scene import Item, Scene, random_scene
from scenes.things import things
from scenes.words import BARE, article, bare_name, item_phrase, plural


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("dog", "dogs"),
        ("bus", "buses"),
        ("cherry", "cherries"),
        ("toy", "toys"),
        ("torch", "torches"),
        ("bunch of grapes", "bunches of grapes"),
        ("man on a bike", "men on a bike"),
        ("sheep", "sheep"),
        ("loaf of bread", "loaves of bread"),
        ("fire truck", "fire trucks"),
        ("police officer", "police officers"),
        ("little boy", "little boys"),
        ("glass of wine", "glasses of wine"),
        ("woman in a red dress", "women in a red dress"),
    ],
)
def test_plural(one: str, many: str) -> None:
    assert plural(one) == many


@pytest.mark.parametrize(
    ("noun", "phrase"),
    [
        ("dog", "a dog"),
        ("apple", "an apple"),
        ("umbrella", "an umbrella"),
        ("unicorn", "a unicorn"),
        ("ufo", "a ufo"),
        ("orange car", "an orange car"),
    ],
)
def test_article(noun: str, phrase: str) -> None:
    assert article(noun) == phrase


def test_a_caption_is_fixed_by_its_seed() -> None:
    for seed in range(60):
        scene = random_scene(seed, "train")
        assert evaluation_caption(scene) == evaluation_caption(scene)
        assert training_caption(scene, Random(1)) == training_caption(scene, Random(1))


def test_one_scene_has_many_captions() -> None:
    rng, scene = Random(2), random_scene(5, "train")
    assert len({training_caption(scene, rng) for _ in range(100)}) > 50


def _words_of(item: Item) -> list[str]:
    thing = things()[item.thing]
    singular = [thing.name, *thing.synonyms]
    return [*singular, thing.plural, *map(plural, thing.synonyms), *BARE.get(item.thing, ())]


def _says(text: str, words: list[str]) -> bool:
    return any(re.search(rf"\b{re.escape(word)}\b", text) for word in words)


def test_an_evaluation_caption_names_every_thing_and_the_place() -> None:
    for seed in range(300):
        scene = random_scene(1_000_000 + seed, "held-out")
        text, place = evaluation_caption(scene), PLACES[scene.place]
        assert all(_says(text, _words_of(item)) for item in scene.items), text
        assert _says(text, [*place.where, *place.nouns]), text


@pytest.mark.parametrize("style", ["short", "medium", "full", "keywords"])
def test_captions_are_tidy_lower_case_words(style: str) -> None:
    rng = Random(4)
    for seed in range(200):
        text = caption(random_scene(seed, "train"), rng, style)  # type: ignore[arg-type]
        assert text == text.strip().lower()
        assert text
        assert "  " not in text
        assert " ," not in text


def test_left_and_right_follow_the_order_of_the_items() -> None:
    scene = Scene("meadow", (Item("dog"), Item("key")))
    rng, seen = Random(1), 0
    dog, key = r"(dog|hound|doggy)", "key"
    for _ in range(400):
        text = caption(scene, rng, "full")
        if re.search(rf"{dog} (to the )?left of", text) or re.search(rf"{key} (to|on) the right of", text):
            seen += 1
        assert not re.search(rf"{key} (to the )?left of", text), text
        assert not re.search(rf"{dog} (to|on) the right of", text), text
    assert seen > 20


def test_counts_are_told_truly() -> None:
    rng = Random(1)
    phrases = {item_phrase(Item("lion", count=3), rng, 1.0) for _ in range(200)}
    assert any(phrase.startswith("three ") for phrase in phrases)
    assert not any(phrase.startswith(("two ", "four ", "a lion", "one ")) for phrase in phrases)


def test_colour_and_size_are_told_truly() -> None:
    rng = Random(1)
    phrases = [item_phrase(Item("car", "green", 1, "big"), rng, 1.0) for _ in range(100)]
    assert all(" green " in phrase for phrase in phrases)
    assert not any(_says(phrase, ["small", "little", "tiny", "red"]) for phrase in phrases)


def test_a_bare_name_agrees_in_number() -> None:
    rng = Random(1)
    assert {bare_name(Item("zebra"), rng) for _ in range(50)} >= {"zebra", "striped horse"}
    assert {bare_name(Item("zebra", count=2), rng) for _ in range(50)} >= {"zebras", "striped horses"}
