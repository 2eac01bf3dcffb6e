"""The filters in the page's address.

`folder=`, `after=`, `before=`, `near=LAT,LON,KM`, `min=` pixels, `where=` SQL; `camera=` and `format=`, any number of
them; of any column `is.COLUMN=` (any number), `has.COLUMN=`, `from.COLUMN=` and `to.COLUMN=`. How what passes is shown:
`unique=1`, `sort=COLUMN:asc`, `group=day`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import streamlit as st

from clipsearch import Filter
from clipsearch.errors import QueryError
from clipsearch.names import from_stored
from clipsearch_ui.search.query import change

_NAMES = ("folder", "after", "before", "camera", "format", "near", "min", "where", "unique", "sort", "group")
_REPEATED = ("camera", "format", "is.")

Ask = Literal["is", "has", "from", "to"]


@dataclass(frozen=True, slots=True)
class Shown:
    """How pictures that pass are shown: one of each picture only, in another order than theirs, the best of each group
    only."""

    unique: bool = False
    sort: str | None = None
    group_by: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One parameter of the address: its name and value."""

    name: str
    value: str


def parts() -> tuple[Part, ...]:
    """All that the address says of filters and of how pictures are shown, in its order."""
    return tuple(Part(name, value) for name in st.query_params if _is_ours(name) for value in given(name))


def given(name: str) -> list[str]:
    """The values of a parameter; of one that cannot be repeated the last."""
    values = [value for value in st.query_params.get_all(name) if value.strip()]
    return values if name.startswith(_REPEATED) else values[-1:]


def one(name: str) -> str | None:
    """The value of a parameter that is not repeated."""
    values = given(name)
    return values[-1] if values else None


def drop(part: Part) -> None:
    """Take one part out of the address."""
    change(**{part.name: [value for value in given(part.name) if value != part.value]})


def clear() -> None:
    """Take all of them out of the address."""
    change(**dict.fromkeys((part.name for part in parts()), ""))


def wanted() -> Filter:
    """Which pictures may be found.

    Raises:
        QueryError: the address makes no sense.
    """
    folder, near, size = one("folder"), one("near"), one("min")
    any_of = {"camera": given("camera"), "format": [name.upper() for name in given("format")]}
    for column in _columns("is"):
        any_of[column] = any_of.get(column, []) + given(f"is.{column}")
    ranged = dict.fromkeys([*_columns("from"), *_columns("to")])
    return Filter(
        where=one("where"),
        folder=None if folder is None else _inside(folder),
        after=one("after"),
        before=one("before"),
        near=None if near is None else _place(near),
        min_size=None if size is None else _pixels(size),
        any_of={column: values for column, values in any_of.items() if values},
        between={column: (one(f"from.{column}"), one(f"to.{column}")) for column in ranged},
        contains={column: str(one(f"has.{column}")) for column in _columns("has")},
    )


def shown() -> Shown:
    """How pictures that pass are shown."""
    return Shown(one("unique") is not None, one("sort"), one("group"))


def _is_ours(name: str) -> bool:
    return name in _NAMES or name.partition(".")[0] in get_args(Ask)


def _columns(ask: Ask) -> list[str]:
    """The columns that something is asked of."""
    return [name.partition(".")[2] for name in st.query_params if name.startswith(f"{ask}.") and given(name)]


def _inside(folder: str) -> str:
    """A folder of the index; where that lies on the server's machine is nothing that a visitor should find out."""
    if folder.startswith(("/", "\\")) or folder.split("/")[0] in ("~", ".", "..") or ":" in folder[1:2]:
        raise QueryError(f"The folder {folder!r} is none of the index; name one as in Pictures/2024.")
    return from_stored(folder)


def _place(text: str) -> tuple[float, float, float]:
    try:
        latitude, longitude, km = (float(part) for part in text.split(","))
    except ValueError:
        raise QueryError(
            f"The place is {text!r}; give latitude, longitude and kilometres, as in 48.14, 11.58, 20."
        ) from None
    return latitude, longitude, km


def _pixels(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise QueryError(f"The smallest size is {text!r}; give a number of pixels, as in 1024.") from None
