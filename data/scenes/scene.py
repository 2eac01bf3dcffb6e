"""What a scene holds, and how scenes are drawn at random from a seed."""

import math
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from .places import PLACES, Place
from .splits import is_training_scene
from .things import COLOURS, Thing, things

Size = Literal["small", "medium", "big"]
Layout = Literal["row", "stack"]
Split = Literal["train", "held-out"]

SPOTS: tuple[str, ...] = ("left", "middle", "right", "top", "bottom", "anywhere")
_COUNTS = (1, 2, 3, 4, 5, 7)


@dataclass(frozen=True)
class Item:
    """A group of ``count`` equal things; ``colour`` is empty when drawn in natural colours."""

    thing: str
    colour: str = ""
    count: int = 1
    size: Size = "medium"


@dataclass(frozen=True)
class Scene:
    """Structured description of one picture; ``seed`` fixes everything the words leave open.

    Items of a "row" go from left to right, those of a "stack" from top to bottom.  ``spot``
    says where the only item of a scene stands.  ``aspect`` is width / height.
    """

    place: str
    items: tuple[Item, ...]
    time: str = "day"
    weather: str = "clear"
    layout: Layout = "row"
    spot: str = "anywhere"
    aspect: float = 4 / 3
    seed: int = 0


def random_item(rng: Random, thing: Thing, most: int) -> Item:
    """A random group of ``thing``, of at most ``most`` members."""
    counts = [n for n in _COUNTS if n <= most]
    weights = (60, 18, 9, 5, 4, 4)[: len(counts)]
    must_colour = thing.is_shape
    coloured = must_colour or (thing.recolours and rng.random() < 0.7)
    size: Size = rng.choices(("small", "medium", "big"), (20, 62, 18))[0]
    return Item(thing.name, rng.choice(COLOURS) if coloured else "", rng.choices(counts, weights)[0], size)


def _conditions(rng: Random, place: Place) -> tuple[str, str]:
    """Time of day and weather that make sense at ``place``."""
    if not place.outdoors:
        return "day", "clear"
    time = rng.choices(("day", "sunset", "night"), (62, 22, 16))[0]
    if time != "day":
        weather = rng.choices(("clear", "rain", "snowfall", "fog"), (80, 8, 6, 6))[0]
    else:
        weather = rng.choices(
            ("clear", "sunny", "cloudy", "rain", "snowfall", "fog", "rainbow"), (40, 18, 12, 11, 6, 7, 6)
        )[0]
    if weather == "snowfall" and place.name in ("beach", "desert", "open sea"):
        weather = "rain"
    return time, weather


def random_aspect(rng: Random) -> float:
    """Width / height: mostly photo shapes, some portraits and a few panoramas."""
    if rng.random() < 0.45:
        return rng.choice((4 / 3, 3 / 2, 1.0, 3 / 4, 2 / 3, 16 / 9))
    return math.exp(rng.gauss(0.15, 0.35)) if rng.random() < 0.95 else rng.uniform(2.0, 2.6)


def compose(rng: Random, place: Place, chosen: list[Thing]) -> Scene:
    """A scene of the given things at ``place``, all else drawn from ``rng``."""
    most = (7, 4, 2)[len(chosen) - 1]
    time, weather = _conditions(rng, place)
    layout: Layout = "stack" if len(chosen) == 2 and rng.random() < 0.2 else "row"
    spot = rng.choices(SPOTS, (20, 15, 20, 7, 7, 31))[0]
    return Scene(
        place.name,
        tuple(random_item(rng, thing, most) for thing in chosen),
        time,
        weather,
        layout,
        spot,
        min(2.6, max(0.55, random_aspect(rng))),
        rng.getrandbits(32),
    )


def random_scene(seed: int, split: Split) -> Scene:
    """The scene of ``seed``: a "train" scene shows no held-out pair, a "held-out" one at least one."""
    rng = Random(f"scene {seed}")
    everything = list(things().values())
    while True:
        place = rng.choice(tuple(PLACES.values()))
        chosen = rng.sample(everything, rng.choices((1, 2, 3), (45, 42, 13))[0])
        if is_training_scene((thing.name for thing in chosen), place.name) == (split == "train"):
            return compose(rng, place, chosen)


def close_up(seed: int) -> Scene:
    """The training close-up of ``seed``: one big thing, of a combination that is not held out."""
    rng = Random(f"close-up {seed}")
    everything = list(things().values())
    while True:
        place, thing = rng.choice(tuple(PLACES.values())), everything[seed % len(everything)]
        if is_training_scene([thing.name], place.name):
            scene = compose(rng, place, [thing])
            item = replace(scene.items[0], count=1, size="big")
            return replace(scene, items=(item,), spot="anywhere", aspect=rng.uniform(0.75, 1.35))
