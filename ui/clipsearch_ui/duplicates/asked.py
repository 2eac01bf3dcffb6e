"""Which duplicates are asked for, and its life in the address: `level=near`, `threshold=0.95`, `folder=2024/summer`
and `page=2`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import streamlit as st

from clipsearch.errors import QueryError
from clipsearch.query.duplicates import Level
from clipsearch.query.filters import Filter
from clipsearch.query.sameness import LEAST_COSINE


@dataclass(frozen=True, slots=True)
class Asked:
    """What `Index.duplicates` is asked for.

    Attributes:
        level: what counts as the same picture.
        threshold: for `near`, the least cosine of two embeddings, above 0 and up to 1.
        folder: look in this folder only, as `Filter` has it; everywhere where it is empty.
    """

    level: Level = "bytes"
    threshold: float | None = None
    folder: str = ""

    @property
    def where(self) -> Filter:
        """The pictures to look among."""
        return Filter(folder=self.folder or None)


def asked() -> Asked:
    """What the page's address asks for.

    Raises:
        QueryError: it makes no sense.
    """
    level = next((one for one in get_args(Level) if one == st.query_params.get("level", "bytes")), None)
    if level is None:
        raise QueryError("The address asks for duplicates of a kind there is not; choose one above.")
    return Asked(level, _threshold() if level == "near" else None, st.query_params.get("folder", "").strip())


def page_asked() -> int:
    """Which page of the groups the address asks for, from 1; the first where that is no number."""
    given = st.query_params.get("page", "")
    return max(int(given), 1) if given.isascii() and given.isdecimal() and len(given) < 10 else 1


def _threshold() -> float:
    given = st.query_params.get("threshold", "")
    try:
        threshold = float(given or LEAST_COSINE)
    except ValueError:
        threshold = 0.0
    if not 0 < threshold <= 1:
        raise QueryError("The similarity in the address is not a number above 0 and up to 1; choose another above.")
    return threshold
