"""The one open index of the server, shared by all sessions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import streamlit as st

import clipsearch
from clipsearch.query.info import IndexInfo
from clipsearch_ui.query import Query
from clipsearch_ui.tiles import Tile

_NEWEST = """
SELECT id, path, caption, width, height, content_hash FROM images
ORDER BY coalesce(mtime, indexed_at) DESC, id DESC LIMIT {limit}
"""


class Engine:
    """An index that many sessions ask at once and that follows what is published.

    Asking and moving to a newer version exclude one another, since moving closes the files of the older one. Loading
    the model, which takes seconds, keeps nobody from looking at pictures.
    """

    def __init__(self, path: Path) -> None:
        self._index = clipsearch.open(path, offline=True)
        self._asking = Lock()
        self._loading = Lock()

    def refresh(self) -> None:
        """Move to the newest published version."""
        with self._asking:
            self._index.refresh()

    def info(self) -> IndexInfo:
        """What the index is."""
        with self._asking:
            return self._index.info()

    def find(self, query: Query, limit: int) -> list[Tile]:
        """The best `limit` pictures for a query; the newest where nothing is asked."""
        if query.is_empty:
            with self._asking:
                rows = self._index.sql(_NEWEST.format(limit=limit)).to_pylist()
            return [Tile.of(row) for row in rows]
        if query.needs_model:
            self._load_model()
        with self._asking:
            hits = self._index.search(query.text or None, image=query.image, like=query.like, k=limit)
        return [Tile.of(hit.metadata, hit.score) for hit in hits]

    def _load_model(self) -> None:
        with self._loading:
            _ = self._index.encoder

    def get(self, picture_id: int) -> Mapping[str, Any]:
        """Metadata of one picture."""
        with self._asking:
            return self._index.get(picture_id)

    def picture(self, picture_id: int) -> bytes:
        """The encoded bytes of one picture."""
        with self._asking:
            return self._index.picture(picture_id)

    def close(self) -> None:
        """Let go of the index's files."""
        with self._asking:
            self._index.close()


@st.cache_resource(show_spinner="Opening the index …", on_release=Engine.close)
def open_engine(path: Path) -> Engine:
    """The server's engine for an index: opened by the first session, shared by the others."""
    return Engine(path)
