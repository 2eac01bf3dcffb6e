"""What a published version is known to hold, worked out once and shared by all sessions."""

from __future__ import annotations

import streamlit as st

from clipsearch import Filter
from clipsearch.query.facets import Facets
from clipsearch.query.folder_tree import FolderTree
from clipsearch_ui.engine import Engine


def facets(engine: Engine) -> Facets:
    """What there is to filter by."""
    return _facets(engine, engine.key, engine.index.version)


def folders(engine: Engine) -> FolderTree:
    """The folders."""
    return _folders(engine, engine.key, engine.index.version)


def columns(engine: Engine) -> tuple[tuple[str, str], ...]:
    """The columns that SQL may name, with their types."""
    return _columns(engine, engine.key, engine.index.version)


def passing(engine: Engine, wanted: Filter) -> int:
    """How many pictures pass a filter.

    Raises:
        QueryError: it cannot be used.
    """
    return _passing(engine, wanted, engine.key, engine.index.version, repr(wanted))


@st.cache_resource(max_entries=8, show_spinner=False)
def _facets(_engine: Engine, key: str, version: int) -> Facets:
    return _engine.index.facets()


@st.cache_resource(max_entries=8, show_spinner=False)
def _folders(_engine: Engine, key: str, version: int) -> FolderTree:
    return _engine.index.folders()


@st.cache_resource(max_entries=8, show_spinner=False)
def _columns(_engine: Engine, key: str, version: int) -> tuple[tuple[str, str], ...]:
    described = _engine.index.sql("DESCRIBE images").to_pylist()
    return tuple((row["column_name"], row["column_type"]) for row in described)


@st.cache_resource(max_entries=256, show_spinner=False)
def _passing(_engine: Engine, _wanted: Filter, key: str, version: int, described: str) -> int:
    return _engine.index.count(_wanted)
