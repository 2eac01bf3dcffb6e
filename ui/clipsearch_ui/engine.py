"""The one open index of the server, shared by all sessions and by the routes that serve pictures."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Lock, Thread
from typing import Any

import clipsearch
from clipsearch.errors import ClipsearchError, PictureError, QueryError
from clipsearch.models.towers.engine import processors
from clipsearch.pictures import content_hash
from clipsearch.pictures.small import PREVIEW, THUMBNAIL, shrink
from clipsearch.store.picture_store import PictureStore, thumbnails_of
from clipsearch_ui.serving import key_of

QUERY_PICTURES = "query-pictures.sqlite"

_QUERY_PICTURE_BYTES = 256 << 20  # a few dozen, as cameras make them


class Engine:
    """An index that many sessions ask at once and that follows what is published. Safe to use from several threads.

    Loading the model, which takes seconds, keeps nobody from looking at pictures; of pictures no more are decoded at
    once than there are processors, since each takes its size in memory.
    """

    def __init__(self, path: Path) -> None:
        self.index = clipsearch.open(path, offline=True)
        self.key = key_of(self.index.path)
        self._thumbnails = thumbnails_of(self.index.path)
        self._query_pictures = PictureStore(self.index.path / QUERY_PICTURES, _QUERY_PICTURE_BYTES)
        self._loading, self._has_model = Lock(), False
        self._ahead: Thread | None = None
        self._decoding = BoundedSemaphore(processors())

    def refresh(self) -> int:
        """Move to the newest published version; returns its number."""
        self.index.refresh()
        return self.index.version

    def load_model(self) -> None:
        """Load the index's models unless they are there; one session loads them, the others wait.

        Raises:
            ModelError: one cannot be loaded.
        """
        with self._loading:
            if not self._has_model:
                self.index.load_models()
                self._has_model = True
                _keep_for_good()

    def load_ahead(self) -> None:
        """Begin to load the model, so that the first search need not wait for it."""
        if self._ahead is None:
            self._ahead = Thread(target=self._load_quietly, name="model")
            self._ahead.start()

    def _load_quietly(self) -> None:
        with suppress(ClipsearchError):  # a search will say why it cannot be loaded
            self.load_model()

    def get(self, picture_id: int) -> Mapping[str, Any]:
        """Metadata of one picture.

        Raises:
            QueryError: there is no such id.
        """
        return self.index.get(picture_id)

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
            kept = self._shrunk(self.original(picture_id, known_as), THUMBNAIL)
            self._thumbnails.put(known_as, kept)
        return kept

    def preview(self, picture_id: int, known_as: str) -> bytes:
        """As `thumbnail`, as large as a screen, made anew each time."""
        return self._shrunk(self.original(picture_id, known_as), PREVIEW)

    def original(self, picture_id: int, known_as: str) -> bytes:
        """The bytes that were indexed, and no others: a file may have been replaced by a link to another.

        Raises:
            QueryError: there is no such picture.
            PictureError: it is not there any more, or has changed.
        """
        self._require(picture_id, known_as)
        data = self.index.picture(picture_id)
        if content_hash(data) != known_as:
            raise PictureError("missing", "The picture has changed since it was indexed; index its folder again.")
        return data

    def keep_query_picture(self, picture: bytes) -> str:
        """Keep a picture to search by; returns the hash it is known by from then on.

        Raises:
            PictureError: it is none.
        """
        small = self._shrunk(picture, THUMBNAIL)
        known_as = content_hash(picture)
        self._query_pictures.put(known_as, picture)
        self._thumbnails.put(known_as, small)
        return known_as

    def query_picture(self, known_as: str) -> bytes:
        """The encoded bytes of a picture to search by.

        Raises:
            QueryError: it is not kept any more, or never was.
        """
        kept = self._query_pictures.get(known_as)
        if kept is None:
            raise QueryError("The picture this was asked with is not kept any more; take it out and add it again.")
        return kept

    def query_thumbnail(self, known_as: str) -> bytes:
        """The same, as `thumbnail` has it."""
        picture = self.query_picture(known_as)
        return self._thumbnails.get(known_as) or self._shrunk(picture, THUMBNAIL)

    def _require(self, picture_id: int, known_as: str) -> None:
        if self.get(picture_id)["content_hash"] != known_as:
            raise QueryError(f"There is no picture with id {picture_id} in this index.")

    def _shrunk(self, picture: bytes, box: tuple[int, int]) -> bytes:
        with self._decoding:
            return shrink(picture, box)

    def close(self) -> None:
        """Let go of the index's files, once what is being loaded is there: Python cannot end in the middle of it."""
        if self._ahead is not None:
            self._ahead.join()
        self._thumbnails.close()
        self._query_pictures.close()
        self.index.close()


_OPEN: dict[Path, Engine] = {}
_OPENING = Lock()


def open_engine(path: Path) -> Engine:
    """The server's engine for an index: opened by whoever comes first, shared by the others."""
    with _OPENING:
        if path not in _OPEN:
            _OPEN[path] = Engine(path)
            _keep_for_good()
        return _OPEN[path]


def _keep_for_good() -> None:
    """Take what is loaded out of the garbage collector's sight: Streamlit has it look through everything after each run
    of the page, and everything waits meanwhile, half a second once torch is there."""
    gc.collect()
    gc.freeze()


def close_engines() -> None:
    """Let go of every index."""
    with _OPENING:
        while _OPEN:
            _OPEN.popitem()[1].close()
        gc.unfreeze()  # what is never collected is reported as lost when the program ends
