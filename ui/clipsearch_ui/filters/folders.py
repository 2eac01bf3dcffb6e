"""Filtering by folder: one level at a time."""

from __future__ import annotations

import streamlit as st

from clipsearch.names import from_stored, to_stored
from clipsearch.query.folder_tree import Folder, FolderTree
from clipsearch_ui.components import component
from clipsearch_ui.filters.address import one
from clipsearch_ui.search.query import change

MOST = 200
"""Folders drawn of a level; of one with more, those with a part of a name in them."""

_FOLDERS = component("folders", "elements")
_PART = "filter-folder-part"


def folders(tree: FolderTree) -> None:
    """Draw the folders in the one that is chosen and the way back up, where there are any."""
    top = _top(tree)
    if not tree.inside(top):
        return
    here = one("folder") or ""
    inside = tree.inside(from_stored(here) or top)
    part = st.session_state.get(_PART, "") if len(inside) > MOST else ""
    found = [folder for folder in inside if part.casefold() in folder.name.casefold()]
    st.markdown(":small[Folder]")
    _FOLDERS(
        data={
            "trail": _trail(here, top),
            "folders": [_drawn(folder) for folder in found[:MOST]],
            "more": max(len(found) - MOST, 0),
            "narrow": len(inside) > MOST,
            "part": part,
        },
        key="folders",
        on_go_change=_go,
        on_part_change=_narrow,
    )


def _top(tree: FolderTree) -> str:
    """Where to begin: in the only root, or above all of them."""
    roots = tree.inside()
    return roots[0].path if len(roots) == 1 else ""


def _trail(here: str, top: str) -> list[dict[str, str]]:
    """The folders above and including the one that is chosen, the widest first."""
    trail = [{"name": "All folders", "path": ""}]
    names = here.split("/")
    for depth in range(len(names)):
        path = "/".join(names[: depth + 1])
        if path and path != to_stored(top):
            trail.append({"name": names[depth], "path": path})
    return trail


def _drawn(folder: Folder) -> dict[str, str | int]:
    # As they are stored: a name that is not valid Unicode cannot go into an address.
    return {"name": to_stored(folder.name), "path": to_stored(folder.path), "pictures": folder.pictures}


def _go() -> None:
    st.session_state.pop(_PART, None)
    change(folder=st.session_state["folders"].go)


def _narrow() -> None:
    st.session_state[_PART] = st.session_state["folders"].part
