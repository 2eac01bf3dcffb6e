"""English for things: articles, plurals, counts, and the words that need special care."""

from random import Random

from .scene import Item
from .things import Thing, things

PAIRED = frozenset({"scissors", "jeans", "glasses", "sunglasses"})

# Everyday words used without an article for a thing the table lists by its countable name.
BARE: dict[str, tuple[str, ...]] = {
    "grape bunch": ("grapes",),
    "cherry pair": ("cherries",),
    "bread loaf": ("bread",),
    "cheese wedge": ("cheese",),
    "coffee cup": ("coffee",),
    "wine glass": ("wine", "red wine"),
    "beer mug": ("beer",),
    "milk glass": ("milk",),
    "glove pair": ("gloves",),
    "sushi piece": ("sushi",),
    "corn cob": ("corn",),
    "die": ("dice",),
    "broccoli": ("broccoli",),
    "money bag": ("money",),
    "scissors": ("scissors",),
    "jeans": ("jeans", "trousers"),
    "glasses": ("glasses",),
    "sunglasses": ("sunglasses",),
    "ice cream": ("ice cream",),
}

_INVARIANT = frozenset(
    {
        "fish",
        "sheep",
        "deer",
        "cattle",
        "sushi",
        "trousers",
        "pants",
        "spectacles",
        "shades",
        "gloves",
        "cherries",
        "grapes",
        "piano keys",
        "clothes",
        "clothing",
        "food",
        "furniture",
        "broccoli",
        "aircraft",
    }
)
_IRREGULAR = {
    "man": "men",
    "woman": "women",
    "person": "people",
    "child": "children",
    "mouse": "mice",
    "loaf": "loaves",
    "leaf": "leaves",
    "policeman": "policemen",
    "guy": "guys",
    "snowman": "snowmen",
    "lady": "ladies",
    "potato": "potatoes",
    "tomato": "tomatoes",
}
_NUMBERS = {
    1: ("one",),
    2: ("two", "two", "two", "a pair of", "a couple of", "2"),
    3: ("three", "three", "3"),
    4: ("four", "four", "4"),
    5: ("five", "five", "5"),
    7: ("seven", "many", "a lot of", "a group of", "several", "lots of", "7"),
}
_VAGUE = ("some", "several", "a few", "a group of", "", "")
_SIZES = {"small": ("small", "little", "tiny"), "medium": ("",), "big": ("big", "large", "huge", "giant")}


def article(phrase: str) -> str:
    """``phrase`` with "a" or "an" in front."""
    vowel = phrase[0] in "aeio" or phrase.startswith(("umbrella", "unknown", "ugly"))
    return f"{'an' if vowel else 'a'} {phrase}"


def plural(phrase: str) -> str:
    """Plural of a noun phrase; what follows " of ", " in ", " on " or " with " stays as it is."""
    for joint in (" of ", " in ", " on ", " with ", " riding "):
        head, found, tail = phrase.partition(joint)
        if found:
            return plural(head) + joint + tail
    if phrase in _INVARIANT:
        return phrase
    start, _, last = phrase.rpartition(" ")
    lead = f"{start} " if start else ""
    if last in _IRREGULAR or last in _INVARIANT:
        return lead + _IRREGULAR.get(last, last)
    if last.endswith(("s", "x", "ch", "sh")):
        return f"{lead}{last}es"
    if last.endswith("y") and last[-2] not in "aeiou":
        return f"{lead}{last[:-1]}ies"
    return f"{lead}{last}s"


def noun(thing: Thing, rng: Random, loose: float) -> tuple[str, str]:
    """(singular, plural) for the thing; ``loose`` is the chance of a category word."""
    roll = rng.random()
    if thing.categories and roll < loose:
        word = rng.choice(thing.categories)
        return word, plural(word)
    if thing.synonyms and roll > 0.68:
        word = rng.choice(thing.synonyms)
        return word, plural(word)
    return thing.name, thing.plural


def _adjectives(item: Item, thing: Thing, rng: Random, detail: float) -> list[str]:
    """Size and colour words, each told with chance ``detail``."""
    found = []
    if item.size != "medium" and rng.random() < detail - 0.05:
        found.append(rng.choice(_SIZES[item.size]))
    if item.colour:
        if rng.random() < detail:
            found.append("violet" if item.colour == "purple" and rng.random() < 0.1 else item.colour)
    elif thing.colour and rng.random() < 0.2 * detail:
        found.append(thing.colour)
    return found


def _bare(item: Item, adjectives: list[str], rng: Random) -> str:
    word = " ".join([*adjectives, rng.choice(BARE[item.thing])])
    return rng.choice((word, f"some {word}") if item.count == 1 else (f"lots of {word}", word))


def _paired(item: Item, adjectives: list[str], rng: Random) -> str:
    word = " ".join([*adjectives, item.thing])
    if item.count == 1:
        return f"a pair of {word}"
    number = rng.choice(_NUMBERS[item.count]) if item.count > 2 else "two"
    return f"{number} pairs of {word}"


def item_phrase(item: Item, rng: Random, detail: float, loose: float = 0.0) -> str:
    """Noun phrase such as "a big red car" or "two dogs"."""
    thing = things()[item.thing]
    adjectives = _adjectives(item, thing, rng, detail)
    if item.thing in BARE and rng.random() < 0.4:
        return _bare(item, adjectives, rng)
    if item.thing in PAIRED:
        return _paired(item, adjectives, rng)
    one, many = noun(thing, rng, loose)
    if item.count == 1:
        if not thing.article or (one in _INVARIANT and one == many and one not in ("fish", "sheep", "deer")):
            return " ".join([*adjectives, one])
        phrase = " ".join([*adjectives, one])
        roll = rng.random()
        return phrase if roll < 0.08 else f"one {phrase}" if roll < 0.13 else article(phrase)
    exact = rng.random() < 0.35 + 0.6 * detail
    number = rng.choice(_NUMBERS[item.count] if exact else _VAGUE)
    return " ".join(word for word in (number, *adjectives, many) if word)


def bare_name(item: Item, rng: Random) -> str:
    """The noun alone, singular or plural as drawn."""
    if item.thing in BARE:
        return rng.choice(BARE[item.thing])
    one, many = noun(things()[item.thing], rng, 0.05)
    return one if item.count == 1 else many
