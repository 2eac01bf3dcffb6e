"""The filters that are on, as small buttons that take them off: a sidebar may be closed."""

from __future__ import annotations

from datetime import date, datetime

import streamlit as st

from clipsearch_ui.filters.address import Part, clear, drop, parts
from clipsearch_ui.text import plain

_LONGEST = 40


def filter_chips() -> None:
    """Draw what the address says of filters and of how pictures are shown."""
    on = parts()
    if not on:
        return
    with st.container(key="filter-chips", horizontal=True, vertical_alignment="center", gap="xsmall"):
        for number, part in enumerate(on):
            st.button(
                plain(label(part)),
                key=f"drop-{number}",
                icon=":material/close:",
                icon_position="right",
                help="Take this filter off",
                on_click=drop,
                args=(part,),
            )
        if len(on) > 1:
            st.button("Clear all", key="clear-filters-chips", type="tertiary", on_click=clear)


def clear_button(where: str) -> None:
    """Draw a button that takes all of them off."""
    st.button(
        f"Clear filters ({len(parts())})",
        key=f"clear-filters-{where}",
        icon=":material/filter_alt_off:",
        on_click=clear,
    )


def label(part: Part) -> str:
    """A part of the address in words."""
    value = part.value if len(part.value) <= _LONGEST else f"{part.value[:_LONGEST]}…"
    column = part.name.partition(".")[2]
    match part.name.partition(".")[0]:
        case "folder":
            return f"in {_end(part.value)}"
        case "after":
            return f"since {value}"
        case "before":
            return f"until {value}"
        case "near":
            place, _, km = value.rpartition(",")
            return f"within {km} km of {place.replace(',', ', ')}" if place else value
        case "min":
            return f"at least {value} px"
        case "unique":
            return "one of each picture"
        case "sort":
            return (
                f"sorted by {value.removesuffix(':asc').removesuffix(':desc')}{', reversed' * value.endswith(':asc')}"
            )
        case "group":
            return f"one of each {value}"
        case "is":
            return f"{column}: {value}"
        case "has":
            return f"{column} contains {value}"
        case "from":
            return f"{column} from {_short(value)}"
        case "to":
            return f"{column} to {_short(value)}"
        case _:
            return value


def _end(path: str) -> str:
    """The end of a long path, which says more than its beginning."""
    return path if len(path) <= _LONGEST else f"…{path[-_LONGEST:]}"


def _short(value: str) -> str:
    try:
        return date.fromisoformat(value[:10]).isoformat() if datetime.fromisoformat(value) else value
    except ValueError:
        return value
