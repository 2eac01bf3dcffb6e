"""How often a run shows what it has done: publishing takes time itself."""

from __future__ import annotations

import time

from clipsearch.store.manifest import Manifest
from clipsearch.store.writer import IndexWriter

PUBLISH_SHARE = 10
"""Publishing rewrites catalog and FAISS index; a run spends at most about one part in so many of its time on it."""


class Pace:
    """Publishes every so many `seconds`, and less often where publishing itself is slow."""

    def __init__(self, seconds: float) -> None:
        self._seconds = self._pause = seconds
        self._published = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether it is time to publish."""
        return time.monotonic() - self._published >= self._pause

    def publish_if_due(self, writer: IndexWriter) -> Manifest | None:
        """Publish, if it is time; returns what was published then."""
        if not self.is_due:
            return None
        began = time.monotonic()
        manifest = writer.publish()
        self._published = time.monotonic()
        self._pause = max(self._seconds, PUBLISH_SHARE * (self._published - began))
        return manifest
