"""What can be done with a picture's file: copy its path, see its folder, fetch it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from clipsearch.errors import ClipsearchError
from clipsearch_ui.address import address
from clipsearch_ui.components import component
from clipsearch_ui.detail.facts import place_on_disk
from clipsearch_ui.detail.folder import has_desktop, open_folder
from clipsearch_ui.serving import Serving
from clipsearch_ui.text import plain

_FILE = component("file", "elements")
_REFUSED = "folder-refused"


def file_actions(serving: Serving, index_key: str, row: Mapping[str, Any], file: Path) -> None:
    """Draw "Copy path", "Open folder" where whoever looks sits at this machine's desktop, and "Download"."""
    _FILE(
        data={
            "path": place_on_disk(row, file),
            "original": address(index_key, "originals", row["id"], row["content_hash"]) if file.is_file() else "",
            "folder": serving.local and has_desktop(),
        },
        key="file",
        on_folder_change=partial(show_folder, serving, file),
    )
    if refused := st.session_state.pop(_REFUSED, None):
        st.error(plain(refused))


def show_folder(serving: Serving, file: Path) -> None:
    """Open the folder of a picture's file on this machine's desktop; nobody else may have that done."""
    if not serving.local:
        return
    try:
        open_folder(file)
    except ClipsearchError as error:
        st.session_state[_REFUSED] = str(error)
