"""Pictures kept beside the index: one SQLite file, the least lately used ones dropped when it grows too large."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock

_ROOM = 0.9
"""Once too large, pictures go until so much of the limit is left."""

_DAY = 86_400

_THUMBNAILS, _THUMBNAIL_BYTES = "thumbnails.sqlite", 512 << 20  # some twenty thousand

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pictures (
    content_hash TEXT PRIMARY KEY, used INTEGER NOT NULL, bytes INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS by_use ON pictures (used, bytes);
"""


class PictureStore:
    """Encoded pictures by the hash of what they were made of. Safe to use from several threads and processes.

    Nothing in it is there only once, so nothing here raises: where the folder cannot be written to, or the file is
    damaged, what is put is kept no longer than the process lives.

    Args:
        path: the file.
        limit: bytes of pictures to keep at most.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._limit, self._lock = limit, Lock()
        self._db = _opened(path)
        self._held = self._measured()

    def get(self, content_hash: str) -> bytes | None:
        """The picture kept under a hash, if there is one."""
        today = int(time.time()) // _DAY
        with self._lock, suppress(sqlite3.Error):
            row = self._db.execute("SELECT data, used FROM pictures WHERE content_hash = ?", [content_hash]).fetchone()
            if row is None:
                return None
            if row[1] != today:  # a write a day, not one a look
                self._db.execute("UPDATE pictures SET used = ? WHERE content_hash = ?", [today, content_hash])
            return bytes(row[0])
        return None

    def put(self, content_hash: str, data: bytes) -> None:
        """Keep a picture."""
        today = int(time.time()) // _DAY
        with self._lock, suppress(sqlite3.Error):
            self._db.execute(
                "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?)", [content_hash, today, len(data), data]
            )
            self._held += len(data)
            if self._held > self._limit:
                self._drop()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def _drop(self) -> None:
        """Drop the least lately used until there is room again."""
        self._held = self._measured()
        spare = self._held - int(self._limit * _ROOM)
        dropped, gone = [], 0
        for content_hash, size in self._db.execute("SELECT content_hash, bytes FROM pictures ORDER BY used, rowid"):
            if gone >= spare:
                break
            dropped.append((content_hash,))
            gone += size
        self._db.executemany("DELETE FROM pictures WHERE content_hash = ?", dropped)
        self._held -= gone

    def _measured(self) -> int:
        with suppress(sqlite3.Error):
            return int(self._db.execute("SELECT coalesce(sum(bytes), 0) FROM pictures").fetchone()[0])
        return 0


def thumbnails_of(index: Path) -> PictureStore:
    """The small pictures of an index, by the content hashes of what they show (`clipsearch.pictures.small`)."""
    return PictureStore(index / _THUMBNAILS, _THUMBNAIL_BYTES)


def _opened(path: Path) -> sqlite3.Connection:
    """The database at `path`, anew where it is damaged; one in memory where nothing can be written there."""
    for _ in range(2):
        db = None
        try:
            db = _connected(str(path))
            db.execute("SELECT count(*) FROM pictures").fetchone()
            return db
        except sqlite3.DatabaseError as error:
            if db is not None:
                db.close()
            if isinstance(error, sqlite3.OperationalError):
                break
            with suppress(OSError):
                path.unlink()
    return _connected(":memory:")


def _connected(place: str) -> sqlite3.Connection:
    db = sqlite3.connect(place, timeout=5, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")  # what a power cut takes can be made again
    db.executescript(_SCHEMA)
    return db
