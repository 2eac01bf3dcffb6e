"""Drawable things with the words people use for them."""

from dataclasses import dataclass
from functools import cache

from .things_table import TABLE

COLOURS: tuple[str, ...] = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "black", "white")


@dataclass(frozen=True)
class Thing:
    """One kind of object: its glyph (a colour emoji, or ``shape:<name>``) and its words."""

    glyph: str
    name: str
    plural: str
    synonyms: tuple[str, ...]
    colour: str
    recolours: bool
    article: bool
    habitat: str
    categories: tuple[str, ...]

    @property
    def is_shape(self) -> bool:
        """Whether the thing is a drawn shape, which always has an explicit colour."""
        return self.glyph.startswith("shape:")


def _words(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in cell.split(",") if word.strip())


def _parse(line: str, habitat: str, categories: tuple[str, ...]) -> Thing:
    glyph, name, plural, synonyms, colour, flags = (cell.strip() for cell in line.split("|"))
    return Thing(
        glyph, name, plural or name + "s", _words(synonyms), colour, "r" in flags, "n" not in flags, habitat, categories
    )


@cache
def things() -> dict[str, Thing]:
    """All things by name, in the table's order."""
    found: dict[str, Thing] = {}
    habitat, categories = "any", tuple[str, ...]()
    for line in TABLE.strip().splitlines():
        if line.startswith("# "):
            habitat, _, words = line[2:].partition(" : ")
            categories = _words(words)
            continue
        thing = _parse(line, habitat, categories)
        if thing.name in found:
            raise ValueError(f"thing listed twice: {thing.name}")
        found[thing.name] = thing
    return found
