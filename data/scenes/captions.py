"""English captions of scenes, from single words to full sentences."""

from random import Random
from typing import Literal

from .places import PLACES, TIMES, WEATHERS
from .scene import Item, Scene
from .things import things
from .words import bare_name, item_phrase, plural

Style = Literal["short", "medium", "full", "keywords"]

_SPOTS = {
    "left": ("on the left", "on the left side", "at the left", "to the left"),
    "right": ("on the right", "on the right side", "at the right", "to the right"),
    "middle": ("in the middle", "in the centre", "in the center"),
    "top": ("at the top", "in the upper part"),
    "bottom": ("at the bottom", "in the lower part"),
}
_PREFIXES = (
    "a picture of",
    "a photo of",
    "an image of",
    "a drawing of",
    "a painting of",
    "a scene with",
    "a picture with",
    "picture of",
    "photo of",
)
_MOODS = {
    "sunset": ("sunset", "a sunset", "the setting sun", "an evening sky", "dusk"),
    "night": ("night", "a night scene", "the night sky", "a dark night"),
    "rain": ("rain", "a rainy day", "rainy weather"),
    "fog": ("fog", "a foggy day", "mist"),
    "snowfall": ("snowfall", "falling snow", "snowflakes", "snowy weather"),
    "sunny": ("sunshine", "a sunny day", "bright sun"),
    "cloudy": ("grey clouds", "a cloudy day"),
    "rainbow": ("a rainbow", "rainbow"),
}
_ADJECTIVES = {"rain": "rainy", "fog": "foggy", "sunny": "sunny", "cloudy": "cloudy"}


def _action(scene: Scene, item: Item, rng: Random) -> str:
    """A participle that fits the thing and the place, or nothing."""
    thing = things()[item.thing]
    floating = scene.place in ("space", "sky")
    if "animal" in thing.categories:
        if scene.place == "underwater" or thing.habitat == "water":
            return "swimming"
        if floating or thing.habitat == "air":
            return rng.choice(("flying", "floating") if floating else ("flying", "in the air"))
        return rng.choice(("standing", "sitting", "walking", "running", "resting", "playing"))
    if "vehicle" in thing.categories:
        if thing.habitat == "air" or floating:
            return "flying"
        return "sailing" if "boat" in thing.categories else rng.choice(("parked", "driving", "standing"))
    return "flying" if thing.habitat == "air" else ""


def _join(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _pair(scene: Scene, first: str, second: str, rng: Random, exact: float) -> str:
    """Two phrases joined by how the things stand to each other."""
    if rng.random() < exact:
        if scene.layout == "stack":
            return rng.choice(
                (
                    f"{first} above {second}",
                    f"{second} below {first}",
                    f"{second} under {first}",
                    f"{first} over {second}",
                    f"{first} at the top and {second} at the bottom",
                )
            )
        return rng.choice(
            (
                f"{first} to the left of {second}",
                f"{second} to the right of {first}",
                f"{first} left of {second}",
                f"{second} on the right of {first}",
                f"{first} on the left and {second} on the right",
            )
        )
    a, b = (first, second) if rng.random() < 0.5 else (second, first)
    link = rng.choice(
        (
            "and",
            "and",
            "and",
            "with",
            "next to" if scene.layout == "row" else "and",
            "beside" if scene.layout == "row" else "with",
        )
    )
    return f"{a} {link} {b}"


def _shared_category(scene: Scene) -> list[str]:
    words = [things()[item.thing].categories for item in scene.items]
    return [word for word in words[0] if all(word in other for other in words[1:])]


def subject(scene: Scene, rng: Random, detail: float, loose: float = 0.0) -> str:
    """Everything drawn, as one phrase; ``detail`` 0..1 is how much of colour, size and position is told."""
    shared = _shared_category(scene)
    if shared and len(scene.items) > 1 and rng.random() < loose:
        return rng.choice(("", "some ", f"{len(scene.items)} kinds of ")) + plural(rng.choice(shared))
    phrases = [item_phrase(item, rng, detail, loose) for item in scene.items]
    if len(phrases) == 2:
        return _pair(scene, phrases[0], phrases[1], rng, 0.4 * detail)
    if len(phrases) == 3:
        if rng.random() < 0.15 * detail:
            return f"from left to right {_join(phrases)}"
        rng.shuffle(phrases)
        return _join(phrases)
    action = _action(scene, scene.items[0], rng) if rng.random() < 0.25 else ""
    spot = rng.choice(_SPOTS[scene.spot]) if scene.spot in _SPOTS and rng.random() < 0.6 * detail else ""
    return " ".join(part for part in (phrases[0], action, spot) if part)


def conditions(scene: Scene, rng: Random, chance: float) -> str:
    """Time of day and weather; plain daylight and clear skies are hardly ever mentioned."""
    if not PLACES[scene.place].outdoors:
        return ""
    parts = []
    if rng.random() < (chance if scene.time != "day" else 0.04 * chance):
        parts.append(rng.choice(TIMES[scene.time]))
    plain = scene.weather == "clear"
    if not (plain and scene.time != "day") and rng.random() < (0.06 * chance if plain else chance):
        parts.append(rng.choice(WEATHERS[scene.weather]))
    rng.shuffle(parts)
    return " ".join(parts)


def _place_noun(scene: Scene, rng: Random) -> str:
    """The background alone: "a foggy beach", "the woods"."""
    word = rng.choice(PLACES[scene.place].nouns)
    adjective = _ADJECTIVES.get(scene.weather)
    start, _, rest = word.partition(" ")
    if adjective and PLACES[scene.place].outdoors and start in ("a", "an", "the") and rng.random() < 0.4:
        return f"{'the' if start == 'the' else 'a'} {adjective} {rest}"
    return word


def full(scene: Scene, rng: Random) -> str:
    """A natural sentence that tells all things, the place, and time and weather where notable."""
    what, when = subject(scene, rng, 0.92), conditions(scene, rng, 0.9)
    where, noun = rng.choice(PLACES[scene.place].where), rng.choice(PLACES[scene.place].nouns)
    tail = f" {when}" if when else ""
    roll = rng.random()
    if roll < 0.45:
        return f"{what} {where}{tail}"
    if roll < 0.53 and when:
        return f"{when}, {what} {where}"
    if roll < 0.65:
        many = scene.items[0].count > 1 or len(scene.items) > 1
        return f"there {'are' if many else 'is'} {what} {where}{tail}"
    if roll < 0.77:
        return f"{noun}{tail} with {what}" if rng.random() < 0.5 else f"{noun} with {what}{tail}"
    if roll < 0.9:
        return f"{rng.choice(_PREFIXES)} {what} {where}{tail}"
    return f"{where}{tail} there {'are' if scene.items[0].count > 1 else 'is'} {what}"


def medium(scene: Scene, rng: Random) -> str:
    """A search phrase: a thing and its place, things without the place, or a thing and the weather."""
    one = item_phrase(rng.choice(scene.items), rng, 0.5, 0.1)
    where, when = rng.choice(PLACES[scene.place].where), conditions(scene, rng, 0.9)
    roll = rng.random()
    if roll < 0.45:
        return f"{subject(scene, rng, 0.4, 0.08)} {where}"
    if roll < 0.65:
        return f"{one} {where}"
    if roll < 0.8:
        return subject(scene, rng, 0.75)
    if roll < 0.88 and when:
        return f"{one} {when}"
    return f"{_place_noun(scene, rng)} with {one}"


def short(scene: Scene, rng: Random) -> str:
    """One thing, or the place or mood alone."""
    roll, item = rng.random(), rng.choice(scene.items)
    if roll < 0.5:
        return item_phrase(item, rng, 0.5, 0.06)
    if roll < 0.7:
        return bare_name(item, rng)
    if roll < 0.78:
        return f"{rng.choice(_PREFIXES)} {item_phrase(item, rng, 0.4, 0.04)}"
    moods = [mood for mood in (scene.time, scene.weather) if mood in _MOODS and PLACES[scene.place].outdoors]
    if moods and roll < 0.86:
        return rng.choice(_MOODS[rng.choice(moods)])
    if roll < 0.93:
        return _place_noun(scene, rng)
    return f"{_place_noun(scene, rng)} {conditions(scene, rng, 0.9)}".strip()


def keywords(scene: Scene, rng: Random) -> str:
    """Search words in any order, without grammar."""
    words = [
        " ".join(filter(None, (item.colour if rng.random() < 0.6 else "", bare_name(item, rng))))
        for item in scene.items
    ]
    place = _place_noun(scene, rng)
    for start in ("a ", "an ", "the "):
        place = place.removeprefix(start)
    words += [place, *(mood for mood in (scene.time, scene.weather) if mood in _MOODS and rng.random() < 0.5)]
    rng.shuffle(words)
    return rng.choice((" ", ", ")).join(words)


_WRITERS = {"short": short, "medium": medium, "full": full, "keywords": keywords}


def caption(scene: Scene, rng: Random, style: Style) -> str:
    """One caption of the given style, in lower case without a full stop."""
    return _WRITERS[style](scene, rng)


def training_caption(scene: Scene, rng: Random) -> str:
    """One caption of a random style, now and then with a capital letter and full stop."""
    styles: tuple[Style, ...] = ("short", "medium", "full", "keywords")
    text = caption(scene, rng, rng.choices(styles, (17, 30, 47, 6))[0])
    return f"{text[0].upper()}{text[1:]}." if rng.random() < 0.15 else text


def thing_caption(scene: Scene, rng: Random) -> str:
    """A short caption of one or all of the things, silent about place, time and weather."""
    item, roll = rng.choice(scene.items), rng.random()
    if roll < 0.4:
        return bare_name(item, rng)
    if roll < 0.8:
        return item_phrase(item, rng, 0.6, 0.04)
    return subject(scene, rng, 0.7)


def evaluation_caption(scene: Scene) -> str:
    """The one full caption by which a held-out scene must be found; fixed by the scene's seed."""
    return full(scene, Random(f"caption {scene.seed}"))
