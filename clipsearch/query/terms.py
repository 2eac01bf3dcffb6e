"""What a user asks for: weighted terms and the query they make.

    text("horse") + 0.7 * text("stripes") + 0.5 * image("savanna.jpg") - 0.4 * text("grass")

Terms are plain data; nothing is read or embedded before the query is asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from clipsearch.errors import QueryError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray
    from PIL.Image import Image

    Picture = str | Path | bytes | Image | NDArray[np.uint8]

Kind = Literal["text", "image", "stored", "vector"]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One thing asked for, and how much it counts; a negative weight pushes away from it.

    Made by `text`, `image`, `stored` and `vector`; added, subtracted and multiplied by a number it makes a `Query`.
    """

    kind: Kind
    value: Any = field(repr=False)
    weight: float = 1.0

    __array_ufunc__: ClassVar[None] = None  # so that a NumPy number times a term is a term

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight):
            raise QueryError(f"A term's weight is {self.weight}; give a finite number.")

    def __mul__(self, factor: float) -> Term:
        return Term(self.kind, self.value, self.weight * float(factor))

    __rmul__ = __mul__

    def __neg__(self) -> Term:
        return -1.0 * self

    def __add__(self, other: Askable) -> Query:
        return Query(self, other)

    def __radd__(self, other: Askable) -> Query:
        return Query(other, self)

    def __sub__(self, other: Term | Query) -> Query:
        return Query(self, -other)


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Query:
    """Several terms asked for together.

        Query("horse", 0.7 * text("stripes"), image("savanna.jpg", 0.5), unless="text watermark")

    Args:
        terms: what the pictures should show or resemble; a str is a text of weight 1.
        unless: a text or texts; a picture relevant to one of them is left out, however well it fits otherwise.
    """

    terms: tuple[Term, ...]
    unless: tuple[str, ...]

    __array_ufunc__: ClassVar[None] = None

    def __init__(self, *terms: Askable, unless: str | Iterable[str] = ()) -> None:
        asked = [query_of(term) for term in terms]
        excluded = [unless] if isinstance(unless, str) else unless
        object.__setattr__(self, "terms", tuple(term for query in asked for term in _terms(query)))
        object.__setattr__(self, "unless", (*(text for q in asked for text in _unless(q)), *excluded))

    @property
    def has_text(self) -> bool:
        """Whether a text takes part, so that something may not be there at all."""
        return any(term.kind == "text" for term in self.terms)

    def __mul__(self, factor: float) -> Query:
        return Query(*(term * factor for term in self.terms), unless=self.unless)

    __rmul__ = __mul__

    def __neg__(self) -> Query:
        return -1.0 * self

    def __add__(self, other: Askable) -> Query:
        return Query(self, other)

    def __radd__(self, other: Askable) -> Query:
        return Query(other, self)

    def __sub__(self, other: Term | Query) -> Query:
        return Query(self, -other)


Askable = str | Term | Query
"""What can be searched for."""


def query_of(asked: Askable) -> Query | Term:
    """A str as a term; a term or query as it is.

    Raises:
        QueryError: it is something else.
    """
    if isinstance(asked, str):
        return text(asked)
    if isinstance(asked, (Term, Query)):
        return asked
    raise QueryError(
        f"A {type(asked).__name__} cannot be searched for as it is; wrap it in text(), image(), stored() or vector()."
    )


def _terms(asked: Query | Term) -> tuple[Term, ...]:
    return asked.terms if isinstance(asked, Query) else (asked,)


def _unless(asked: Query | Term) -> tuple[str, ...]:
    return asked.unless if isinstance(asked, Query) else ()


def text(sentence: str, weight: float = 1.0) -> Term:
    """What the pictures should show, in words.

    Raises:
        QueryError: there are no words.
    """
    if not isinstance(sentence, str) or not sentence.strip():
        raise QueryError("The query text is empty; say what the picture should show.")
    return Term("text", sentence, weight)


def image(picture: Picture, weight: float = 1.0) -> Term:
    """A picture to resemble: a file, encoded bytes, a PIL image or a uint8 array [h, w, 3]."""
    return Term("image", picture, weight)


def stored(picture_id: int, weight: float = 1.0) -> Term:
    """An indexed picture to resemble, by its id. It is itself among the results; `like=` leaves it out."""
    return Term("stored", int(picture_id), weight)


def vector(numbers: ArrayLike, weight: float = 1.0) -> Term:
    """A vector of the model's own space, `dim` numbers of any length."""
    return Term("vector", numbers, weight)
