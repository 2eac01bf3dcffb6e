"""What is asked, and its life in the page's address."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from clipsearch.errors import QueryError


@dataclass(frozen=True, slots=True)
class Query:
    """A text, and one picture to resemble: an uploaded one (its encoded bytes) or one of the index (its id); and
    whether what is not relevant is to be shown as well."""

    text: str = ""
    image: bytes | None = None
    like: int | None = None
    everything: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return not self.needs_model and self.like is None

    @property
    def needs_model(self) -> bool:
        """Whether something is to be embedded."""
        return bool(self.text) or self.image is not None


def text_in_address() -> str:
    """The text of the query in the page's address."""
    return st.query_params.get("q", "").strip()


def like_in_address() -> int | None:
    """The id of the picture to resemble in the page's address.

    Raises:
        QueryError: what stands there is no id.
    """
    value = st.query_params.get("like")
    if value is None:
        return None
    if not value.isdecimal() or len(value) > 18:
        raise QueryError("The address asks for pictures like one, but does not give that picture's number.")
    return int(value)


def everything_in_address() -> bool:
    """Whether the page's address asks for what is not relevant, too."""
    return "all" in st.query_params


def ask(**changes: str) -> None:
    """Change what the address asks (`q`, `like`; empty takes it out), as one step of the browser's history."""
    asked = {**st.query_params.to_dict(), **changes}
    st.query_params.from_dict({name: value for name, value in asked.items() if value})
