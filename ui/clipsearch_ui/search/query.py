"""What is asked on the page, and its life in the page's address.

The address is the truth and everything drawn follows it, so that bookmarks and the back button work:
`q=horse`, `qw=0.7` its weight, and any number of `also=stripes:0.7`, `image=HASH:0.5`, `like=ID:-0.5`, `not=watermark`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st

from clipsearch.errors import QueryError

Kind = Literal["q", "also", "image", "like", "not"]
_WEIGHTED: tuple[Kind, ...] = ("also", "image", "like")

LESS = -0.5
"""The weight of what is pushed away: enough to turn the order, too little to drown what is asked for."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing asked for: the text of the search field (`q`), one `also`, an uploaded picture by its hash (`image`),
    a picture of the index by its id (`like`), or a text that rules pictures out (`not`, which has no weight)."""

    kind: Kind
    value: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and abs(self.weight) <= 10):
            raise QueryError("A weight in the address is not a number between -10 and 10; start over.")
        if self.kind == "like" and not (self.value.isascii() and self.value.isdecimal() and len(self.value) <= 18):
            raise QueryError("The address asks for pictures like one, but does not give that picture's number.")


@dataclass(frozen=True, slots=True)
class Query:
    """Terms, and whether what is not relevant to them is to be shown as well."""

    terms: tuple[Term, ...] = ()
    everything: bool = False

    @property
    def text(self) -> str:
        """What the search field holds."""
        return next((term.value for term in self.terms if term.kind == "q"), "")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return not any(term.kind != "not" for term in self.terms)

    @property
    def has_text(self) -> bool:
        """Whether words take part, so that there may be nothing that fits."""
        return any(term.kind in ("q", "also") for term in self.terms)

    @property
    def needs_model(self) -> bool:
        """Whether something is to be embedded."""
        return any(term.kind != "like" for term in self.terms)

    @property
    def likes(self) -> tuple[int, ...]:
        """The pictures of the index that take part, by id."""
        return tuple(int(term.value) for term in self.terms if term.kind == "like")

    def with_text(self, text: str) -> Query:
        """The same with another text in the search field."""
        kept = [term for term in self.terms if term.kind != "q"]
        return Query((*([Term("q", text)] if text else []), *kept))

    def plus(self, term: Term) -> Query:
        """The same with one more term, or with that term's new weight."""
        kept = [old for old in self.terms if (old.kind, old.value) != (term.kind, term.value)]
        return Query((*kept, term))

    def weighing(self, term: Term, weight: float) -> Query:
        """The same with another weight of one of its terms."""
        terms = tuple(replace(old, weight=weight) if old == term else old for old in self.terms)
        return Query(terms, self.everything)

    def without(self, term: Term) -> Query:
        """The same without one of its terms."""
        return Query(tuple(old for old in self.terms if old != term))


def asked() -> Query:
    """The query in the page's address.

    Raises:
        QueryError: it makes no sense.
    """
    text = st.query_params.get("q", "").strip()
    terms = [Term("q", text, _weight(st.query_params.get("qw", "1")))] if text else []
    for kind in _WEIGHTED:
        terms += [_term(kind, given) for given in st.query_params.get_all(kind)]
    terms += [Term("not", given.strip()) for given in st.query_params.get_all("not") if given.strip()]
    return Query(tuple(terms), "all" in st.query_params)


def ask(query: Query) -> None:
    """Put a query into the address, as one step of the browser's history; a picture that was open closes."""
    change(
        picture="",
        q=query.text,
        qw=[f"{term.weight:g}" for term in query.terms if term.kind == "q" and term.weight != 1],
        **{kind: [f"{term.value}:{term.weight:g}" for term in query.terms if term.kind == kind] for kind in _WEIGHTED},
        **{"not": [term.value for term in query.terms if term.kind == "not"]},
        all="1" if query.everything else "",
    )


def change(**changes: str | Sequence[str]) -> None:
    """Change parameters of the address in one step; empty ones go."""
    params = {name: st.query_params.get_all(name) for name in st.query_params} | {
        name: [value] if isinstance(value, str) else list(value) for name, value in changes.items()
    }
    kept = {name: [value for value in values if value] for name, values in params.items()}
    st.query_params.from_dict({name: values for name, values in kept.items() if values})


def _term(kind: Kind, given: str) -> Term:
    value, colon, weight = given.rpartition(":")
    return Term(kind, value, _weight(weight)) if colon else Term(kind, given)


def _weight(given: str) -> float:
    try:
        return float(given)
    except ValueError:
        return math.nan


def described(terms: Iterable[Term]) -> str:
    """Terms as one line of text, to tell queries apart."""
    return " ".join(f"{term.kind}={term.value}:{term.weight:g}" for term in terms)
