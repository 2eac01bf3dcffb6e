"""Which scenes the demo gallery shows, and the queries it is made to answer."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from .places import PLACES
from .scene import Item, Scene, compose
from .splits import held_out, is_training_scene
from .things import Thing, things

_LAND = ("meadow", "forest", "snow", "farm", "mountains", "desert", "autumn park", "road", "lake", "beach")
_INDOORS = ("room", "stage", "room", "city street", "meadow", "beach")
# Where things of a category are usually met; the first matching row counts.
_HOMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sea animal", ("underwater", "open sea", "beach", "lake")),
    ("bird", ("sky", "lake", "forest", "meadow", "beach", "mountains", "farm", "snow")),
    ("animal", _LAND),
    ("insect", ("meadow", "forest", "autumn park", "farm")),
    ("boat", ("open sea", "lake", "beach")),
    ("aircraft", ("sky", "space", "city at night", "mountains", "desert")),
    ("vehicle", ("city street", "city at night", "road", "snow", "beach", "desert", "farm")),
    ("food", ("room", "meadow", "beach", "farm", "autumn park")),
    ("drink", ("room", "beach", "meadow")),
    ("building", ("meadow", "mountains", "lake", "snow", "farm", "city at night")),
    ("plant", ("meadow", "forest", "autumn park", "lake", "farm", "room")),
    ("person", (*_LAND, "city street", "stage", "city at night")),
    ("thing in the sky", ("sky", "space", "open sea", "mountains")),
)


@dataclass(frozen=True)
class Demo:
    """A demo query and what its pictures show."""

    query: str
    place: str
    items: tuple[Item, ...]
    time: str = ""
    weather: str = ""


DEMOS: tuple[Demo, ...] = (
    Demo("two dogs in the snow", "snow", (Item("dog", count=2),)),
    Demo("a red car at the beach", "beach", (Item("car", "red"),)),
    Demo("a rocket in space", "space", (Item("rocket"),)),
    Demo("fish under water", "underwater", (Item("tropical fish", count=3), Item("fish", "blue", 2))),
    Demo("a cat in the living room", "room", (Item("cat"),)),
    Demo("balloons in the city", "city street", (Item("balloon", "red", 3), Item("balloon", "blue", 2))),
    Demo("a sailboat on the sea at sunset", "open sea", (Item("sailboat"),), "sunset", "clear"),
    Demo("a horse in a meadow", "meadow", (Item("horse"),)),
    Demo("three camels in the desert", "desert", (Item("camel", count=3),)),
    Demo("butterflies in the forest", "forest", (Item("butterfly", "blue", 3),)),
    Demo("a cow on a farm", "farm", (Item("cow"),)),
    Demo("a ufo over the city at night", "city at night", (Item("ufo"),)),
    Demo("a guitar on stage", "stage", (Item("guitar", "red"),)),
    Demo("penguins in the snow", "snow", (Item("penguin", count=3),)),
    Demo("a purple umbrella in the rain", "city street", (Item("umbrella", "purple"),), "day", "rain"),
    Demo("a birthday cake in a room", "room", (Item("birthday cake"),)),
    Demo("a shark in the ocean", "underwater", (Item("shark"),)),
    Demo("a snowman in the mountains", "mountains", (Item("snowman"),)),
)


def homes(thing: Thing) -> tuple[str, ...]:
    """Backgrounds where the thing looks at home."""
    for category, places in _HOMES:
        if category in thing.categories:
            return places
    return _INDOORS


def _companion(rng: Random, place: str, names: list[str]) -> Thing:
    """A thing at home at ``place`` that makes the scene one of held-out combinations."""
    fitting = [
        thing
        for thing in things().values()
        if place in homes(thing)
        and thing.name not in names
        and (held_out(thing.name, place) or any(held_out(thing.name, name) for name in names))
    ]
    return rng.choice(fitting)


def demo_scene(demo: Demo, rng: Random) -> Scene:
    """One picture for a demo query; a small companion is added where the pair itself was trained on."""
    names = [item.thing for item in demo.items]
    place = PLACES[demo.place]
    scene = compose(rng, place, [things()[name] for name in names])
    items = tuple(replace(item, size=rng.choice(("medium", "medium", "big"))) for item in demo.items)
    if is_training_scene(names, demo.place):
        items = (*items, Item(_companion(rng, demo.place, names).name, size="small"))
    weather = demo.weather or rng.choice(("clear", "sunny")) if place.outdoors else "clear"
    return replace(
        scene,
        items=items,
        time=demo.time or "day",
        weather=weather,
        layout="row",
        spot=rng.choice(("left", "middle", "right")),
    )


def everyday_scene(rng: Random, surprise: float = 0.2) -> Scene:
    """A held-out scene of things where one expects them, or with chance ``surprise`` where one does not."""
    odd, everything = rng.random() < surprise, list(things().values())
    while True:
        place = rng.choice(tuple(PLACES.values()))
        fitting = everything if odd else [thing for thing in everything if place.name in homes(thing)]
        chosen = rng.sample(fitting, min(len(fitting), rng.choices((1, 2, 3), (50, 40, 10))[0]))
        if not is_training_scene((thing.name for thing in chosen), place.name):
            return compose(rng, place, chosen)


def gallery_scenes(rng: Random, each_demo: int, others: int) -> Iterator[Scene]:
    """First the demo pictures, then everyday scenes."""
    for demo in DEMOS:
        for _ in range(each_demo):
            yield demo_scene(demo, rng)
    for _ in range(others):
        yield everyday_scene(rng)
