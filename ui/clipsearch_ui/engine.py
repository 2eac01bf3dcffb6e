"""The one open index of the server, shared by all sessions and by the routes that serve pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

import clipsearch
from clipsearch.errors import PictureError, QueryError
from clipsearch.pictures import content_hash
from clipsearch.query.info import IndexInfo
from clipsearch_ui.query import Query
from clipsearch_ui.shrink import PREVIEW, THUMBNAIL, shrink
from clipsearch_ui.thumbnail_store import ThumbnailStore
from clipsearch_ui.tiles import Found, Tile

THUMBNAILS = "thumbnails.sqlite"

_NEWEST = """
SELECT id, path, caption, width, height, content_hash FROM images
ORDER BY coalesce(mtime, indexed_at) DESC, id DESC LIMIT {limit}
"""


class Engine:
    """An index that many sessions ask at once and that follows what is published. Safe to use from several threads.

    Loading the model, which takes seconds, keeps nobody from looking at pictures; of pictures no more are decoded at
    once than there are processors, since each takes its size in memory.
    """

    def __init__(self, path: Path) -> None:
        self._index = clipsearch.open(path, offline=True)
        self._thumbnails = ThumbnailStore(self._index.path / THUMBNAILS)
        self._loading = Lock()
        self._decoding = BoundedSemaphore(os.cpu_count() or 1)

    def refresh(self) -> None:
        """Move to the newest published version."""
        self._index.refresh()

    def info(self) -> IndexInfo:
        """What the index is."""
        return self._index.info()

    def find(self, query: Query, limit: int) -> Found:
        """The best `limit` pictures for a query, of those that are relevant to it unless it asks for all; the newest
        where nothing is asked."""
        if query.is_empty:
            rows = self._index.sql(_NEWEST.format(limit=limit)).to_pylist()
            return Found(tuple(Tile.of(row) for row in rows))
        if query.needs_model:
            self._load_model()
        hits = self._index.search(query.text or None, image=query.image, like=query.like, k=limit)
        # What is near a picture is shown whatever it is; a text may well ask for something that is not there.
        shown = hits.relevant if query.text and not query.everything else hits
        tiles = tuple(Tile.of(hit.metadata, hit.score, hit.relevance) for hit in shown)
        return Found(tiles, len(hits) - len(shown))

    def _load_model(self) -> None:
        with self._loading:
            _ = self._index.encoder

    def get(self, picture_id: int) -> Mapping[str, Any]:
        """Metadata of one picture.

        Raises:
            QueryError: there is no such id.
        """
        return self._index.get(picture_id)

    def thumbnail(self, picture_id: int, known_as: str) -> bytes:
        """A small upright WebP of a picture, made once.

        Args:
            picture_id: its id.
            known_as: its content hash. Ids can be guessed, hashes cannot.

        Raises:
            QueryError: there is no such picture.
            PictureError: it cannot be read.
        """
        self._require(picture_id, known_as)
        kept = self._thumbnails.get(known_as)
        if kept is None:
            kept = self._shrunk(picture_id, known_as, THUMBNAIL)
            self._thumbnails.put(known_as, kept)
        return kept

    def preview(self, picture_id: int, known_as: str) -> bytes:
        """As `thumbnail`, as large as a screen, made anew each time."""
        return self._shrunk(picture_id, known_as, PREVIEW)

    def original(self, picture_id: int, known_as: str) -> bytes:
        """The bytes that were indexed, and no others: a file may have been replaced by a link to another.

        Raises:
            QueryError: there is no such picture.
            PictureError: it is not there any more, or has changed.
        """
        self._require(picture_id, known_as)
        data = self._index.picture(picture_id)
        if content_hash(data) != known_as:
            raise PictureError("missing", "The picture has changed since it was indexed; index its folder again.")
        return data

    def _require(self, picture_id: int, known_as: str) -> None:
        if self.get(picture_id)["content_hash"] != known_as:
            raise QueryError(f"There is no picture with id {picture_id} in this index.")

    def _shrunk(self, picture_id: int, known_as: str, box: tuple[int, int]) -> bytes:
        with self._decoding:
            return shrink(self.original(picture_id, known_as), box)

    def close(self) -> None:
        """Let go of the index's files."""
        self._thumbnails.close()
        self._index.close()


_OPEN: dict[Path, Engine] = {}
_OPENING = Lock()


def open_engine(path: Path) -> Engine:
    """The server's engine for an index: opened by whoever comes first, shared by the others."""
    with _OPENING:
        if path not in _OPEN:
            _OPEN[path] = Engine(path)
        return _OPEN[path]


def close_engines() -> None:
    """Let go of every index."""
    with _OPENING:
        while _OPEN:
            _OPEN.popitem()[1].close()
