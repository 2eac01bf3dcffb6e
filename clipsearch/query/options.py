"""How a query is to be answered: everything about a search but what is searched for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clipsearch.errors import QueryError
from clipsearch.query.filters import Filter
from clipsearch.query.terms import Query, Term

NEWEST = "newest"
"""What to sort by for the date a picture was taken or, where it does not say, its file was changed."""


@dataclass(frozen=True, slots=True)
class Options:
    """The keywords of `Index.search`, checked; `spaces` are those asked, each with its weight, where that was chosen.

    Raises:
        QueryError: one makes no sense.
    """

    k: int = 10
    like: tuple[int, ...] = ()
    unlike: tuple[int, ...] = ()
    where: str | Filter | None = None
    unique: bool = False
    group_by: str | None = None
    sort: str | None = None
    diversity: float = 0.0
    templates: bool = True
    spaces: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if self.k < 1:
            raise QueryError(f"k is {self.k}; ask for at least one picture.")
        if not 0 <= self.diversity <= 1:
            raise QueryError(f"The diversity is {self.diversity}; choose from 0 (as they come) to 1 (most unlike).")
        if self.diversity and self.sort_column is not None:
            raise QueryError("Results are either sorted by a column or made diverse; leave out one of the two.")
        if both := set(self.like) & set(self.unlike):
            raise QueryError(f"Picture {min(both)} is both liked and not liked; choose one.")

    @property
    def sort_column(self) -> str | None:
        """The column to sort by; None for the score."""
        column = self._sort[0]
        return None if column == "score" else column

    @property
    def ascending(self) -> bool:
        """Whether the smallest, earliest or alphabetically first comes first."""
        return self._sort[1]

    @property
    def _sort(self) -> tuple[str, bool]:
        column, colon, direction = (self.sort or "score").rpartition(":")
        if not colon or direction not in ("asc", "desc"):
            column, direction = self.sort or "score", "desc"
        if column == "score" and direction == "asc":
            raise QueryError("Results begin with the best score; sort by score:desc, or by a column.")
        return column, direction == "asc"


def ids_of(given: int | Sequence[int] | None) -> tuple[int, ...]:
    """One id or several as a tuple without repeats."""
    if given is None:
        return ()
    many = [given] if isinstance(given, (int, np.integer)) else given
    return tuple(dict.fromkeys(int(i) for i in many))


def digest(query: Query, options: Options) -> str:
    """What makes two requests the same: all that decides which results come in which order."""
    asked = hashlib.blake2b(repr(options).encode("utf-8", "surrogatepass"), digest_size=16)
    for term in query.terms:
        asked.update(f"\0{term.kind}\0{term.weight!r}\0".encode())
        asked.update(hashlib.blake2b(_content(term), digest_size=16).digest())
    for text in query.unless:
        asked.update(f"\0unless\0{text}".encode("utf-8", "surrogatepass"))
    return asked.hexdigest()


def _content(term: Term) -> bytes:
    value: Any = term.value
    match term.kind:
        case "text" | "stored":
            return str(value).encode("utf-8", "surrogatepass")
        case "vector":
            return np.asarray(value, np.float64).tobytes()
        case "image" if isinstance(value, bytes):
            return value
        case "image" if isinstance(value, (str, Path)):
            return Path(value).expanduser().read_bytes()
        case _:
            array = np.asarray(value)
            return str(array.shape).encode() + array.tobytes()
