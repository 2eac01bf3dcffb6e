"""Texts that say something else in the same words, or with one word changed.

A model that reads a text as a bag of words cannot tell such a *foil* from the text (Yuksekgonul et al. 2023, "When and
why vision-language models behave like bags-of-words, and what to do about it"; Thrush et al. 2022, "Winoground"), and
one that does not count cannot tell "three dogs" from "five dogs" (Paiss et al. 2023, "Teaching CLIP to Count to Ten").
English only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

_COLOURS = "red|orange|yellow|green|blue|purple|violet|pink|brown|black|white|grey|gray|golden|silver|tan"
_SIZES = "big|large|huge|small|little|tiny|tall|short|long|old|young"
_NUMBERS = "two|three|four|five|six|seven|eight|nine|ten"
_SIDES = {
    "left to right": "right to left",
    "left": "right",
    "above": "below",
    "over": "under",
    "inside": "outside",
    "in front of": "behind",
    "top": "bottom",
}
_OPPOSITE = _SIDES | {other: side for side, other in _SIDES.items()}
# To exchange what stands on both sides of these changes what is said; with "and" or "next to" it would not.
_RELATIONS = (
    "on top of|in front of|among|on|under|behind|above|below|inside|in|over|after|at|wearing|holding|riding|chasing|"
    "pulling|pushing|carrying|catching|throwing|eating|watching|following"
)


def _words(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)


_COLOUR, _SIZE, _NUMBER, _SIDE = map(_words, (_COLOURS, _SIZES, _NUMBERS, "|".join(_OPPOSITE)))
_RELATION = re.compile(
    rf"(?!(?:{_RELATIONS})\b)(?P<one>\w.*?)\s+(?P<relation>{_RELATIONS})\s+(?P<other>\w.*?)(?P<end>[\s.!]*)",
    re.IGNORECASE,
)


def numbers(text: str, rng: Random) -> str | None:
    """The first number from two to ten in words made another."""
    found = _NUMBER.search(text)
    if found is None:
        return None
    other = rng.choice([number for number in _NUMBERS.split("|") if number != found[0].lower()])
    return text[: found.start()] + _cased(other, found[0]) + text[found.end() :]


def attributes(text: str, _: Random) -> str | None:
    """Two different colours, or else two different sizes or ages, that have changed places."""
    for pattern in (_COLOUR, _SIZE):
        found = list(pattern.finditer(text))
        for later in found[1:]:
            if later[0].lower() != found[0][0].lower():
                return _exchanged(text, found[0], later)
    return None


def sides(text: str, _: Random) -> str | None:
    """The first word for a place made its opposite: left and right, above and below, in front of and behind."""
    found = _SIDE.search(text)
    if found is None:
        return None
    return text[: found.start()] + _cased(_OPPOSITE[found[0].lower()], found[0]) + text[found.end() :]


def roles(text: str, _: Random) -> str | None:
    """What stands before and after the first relation that have changed places: "a cat on a mat", "a mat on a cat"."""
    found = _RELATION.fullmatch(text)
    if found is None or found["one"].lower() == found["other"].lower():
        return None
    one, other = found["one"], found["other"]
    if one[:1].isupper() and not one[1:2].isupper():
        one, other = one[:1].lower() + one[1:], other[:1].upper() + other[1:]
    return f"{other} {found['relation']} {one}{found['end']}"


def order(text: str, rng: Random) -> str | None:
    """All words in another order, drawn at random."""
    words = text.split()
    if len({word.lower() for word in words}) < 3:
        return None
    shuffled = words.copy()
    while shuffled == words:
        rng.shuffle(shuffled)
    return " ".join(shuffled)


def _exchanged(text: str, one: re.Match[str], other: re.Match[str]) -> str:
    between = text[one.end() : other.start()]
    return text[: one.start()] + _cased(other[0], one[0]) + between + _cased(one[0], other[0]) + text[other.end() :]


def _cased(word: str, like: str) -> str:
    return word[:1].upper() + word[1:] if like[:1].isupper() else word.lower()


@dataclass(frozen=True, slots=True)
class Foil:
    """A function that changes a text, None where it cannot, and what it does in words."""

    how: str
    change: Callable[[str, Random], str | None]


FOILS: Mapping[str, Foil] = {
    "numbers": Foil("another number", numbers),
    "attributes": Foil("two colours, sizes or ages exchanged", attributes),
    "sides": Foil("left for right, above for below", sides),
    "roles": Foil("both sides of a relation exchanged", roles),
    "order": Foil("words in any order", order),
}
"""By name."""
