"""The indexes that can be searched, each with what it is."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import clipsearch
from clipsearch.errors import ClipsearchError
from clipsearch.query.info import IndexInfo, RootInfo
from clipsearch.store.layout import Layout
from clipsearch.store.manifest import published_version
from clipsearch.store.spaces import main_folder
from clipsearch_ui.engine import Engine
from clipsearch_ui.library.words import name_of
from clipsearch_ui.serving import Serving, key_of
from clipsearch_ui.text import pictures, plain, size

_FIRST = 4
"""So many indexes are shown at first: to look into a hundred takes seconds."""

_KNOWN: dict[Path, IndexInfo] = {}


def info_of(index: Path) -> IndexInfo:
    """What an index is; looked up once for each version, for its disk use takes a walk through its folder.

    Raises:
        IndexNotFound: there is no index.
        IndexDamaged: it cannot be read.
    """
    version = published_version(Layout(main_folder(index)))
    info = _KNOWN.get(index)
    if info is None or info.version != version:
        with clipsearch.open(index, offline=True) as opened:
            info = _KNOWN[index] = opened.info()
    return info


def indexes(serving: Serving, engine: Engine) -> None:
    """Draw the index that is searched, then the others."""
    here = engine.index.path
    others = [path for path in serving.indexes if path != here]
    _card(here, chosen=True)
    shown = others if st.session_state.get("all-indexes") else others[:_FIRST]
    for path in shown:
        _card(path)
    if len(shown) < len(others):
        left = len(others) - len(shown)
        st.button(f"Show {left} more", key="more-indexes", on_click=_show_all, width="stretch")


def _show_all() -> None:
    st.session_state["all-indexes"] = True


def _card(path: Path, chosen: bool = False) -> None:
    key = key_of(path)
    info = _info_or_sentence(path)
    with st.container(border=True, key=f"index-{key}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(name_of(path))}**", width="stretch")
            if chosen:
                st.badge("You search this one", icon=":material/check:")
            elif isinstance(info, IndexInfo) and st.button("Search this one", key=f"choose-{key}"):
                _search(path)
        st.caption(plain(str(path)))
        if isinstance(info, str):
            st.warning(plain(info), icon=":material/error:")
            return
        st.markdown(plain(_facts(info)))
        if info.roots:
            st.markdown("  \n".join(map(_root, info.roots)))


def _info_or_sentence(path: Path) -> IndexInfo | str:
    try:
        return info_of(path)
    except (ClipsearchError, OSError) as error:
        return str(error)


def _facts(info: IndexInfo) -> str:
    failed = f"{info.failures:,} could not be read · " if info.failures else ""
    published = info.published_at[:16].replace("T", " ")
    return (
        f"{pictures(info.pictures)} · {failed}model {info.model}, {info.dim} numbers a picture · {size(info.bytes)} on "
        f"disk · version {info.version} of {published} UTC"
    )


def _root(root: RootInfo) -> str:
    is_online = root.path.is_dir()  # a disk comes and goes without a new version
    state = ":green[:material/check_circle:]" if is_online else ":orange[:material/cloud_off:] offline"
    return f"{state} {plain(str(root.path))} · {pictures(root.pictures)}"


def _search(path: Path) -> None:
    """Go to the search page of an index."""
    st.session_state["index"] = key_of(path)
    # Streamlit tells pages apart by their place alone.
    st.switch_page(
        st.Page(lambda: None, title="Search", url_path="", default=True), query_params={"index": key_of(path)}
    )
