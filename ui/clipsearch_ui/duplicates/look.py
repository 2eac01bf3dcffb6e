"""Looking for duplicates, which in a large index takes minutes: in a thread of the server, for all who ask the same."""

from __future__ import annotations

import logging
from threading import Event, Lock, Thread

from clipsearch.errors import ClipsearchError
from clipsearch_ui.duplicates.asked import Asked
from clipsearch_ui.duplicates.groups import Groups
from clipsearch_ui.engine import Engine

_KEPT = 8
"""Looks that are kept; of more the first one goes, also when it is not done."""

_TURN = Lock()
"""Two at a time would each take twice as long."""

_log = logging.getLogger(__name__)


class Look:
    """One look through an index; groups can be read while it goes on, and more are only ever added behind them.

    Attributes:
        index_key: the index, as `Engine.key` has it.
        asked: what is looked for.
        version: the published version of the index.
        groups: what was found so far.
        done, total: how many pictures have been compared, of how many; 0 of 0 where that is not counted.
        error: why it broke off, in one sentence.
        complete: whether it came to its end.
    """

    def __init__(self, engine: Engine, asked: Asked) -> None:
        self.index_key, self.asked, self.version = engine.key, asked, engine.index.version
        self.groups = Groups()
        self.done = self.total = 0
        self.error: str | None = None
        self.complete = False
        self._stopping, self._ended = Event(), Event()
        Thread(target=self._run, args=(engine,), name="duplicates", daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether it goes on, or waits for its turn."""
        return not self._ended.is_set()

    def serves(self, version: int) -> bool:
        """Whether it shows what there is at a version, or is about to."""
        if self.running:
            return not self._stopping.is_set()
        return self.complete and self.version == version

    def stop(self) -> None:
        """Leave off soon; what was found stays."""
        self._stopping.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end for so long; returns whether it has come."""
        return self._ended.wait(seconds)

    def _run(self, engine: Engine) -> None:
        try:
            while not _TURN.acquire(timeout=0.1):
                self._go_on()
            try:
                self._look(engine)
            finally:
                _TURN.release()
            self.complete = True
        except _StoppedError:
            pass
        except ClipsearchError as error:
            self.error = str(error)
        except OSError as error:
            self.error = (
                f"The list of groups cannot be written ({error}); make room for temporary files, and look again."
            )
        except Exception:
            _log.exception("looking for duplicates")
            self.error = "Looking for duplicates broke off; the server's log says why."
        finally:
            self._ended.set()

    def _look(self, engine: Engine) -> None:
        asked = self.asked
        found = engine.index.duplicates(
            asked.level, threshold=asked.threshold, where=asked.where, progress=self._compared
        )
        for group in found:
            self._go_on()
            self.groups.add(group)

    def _compared(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._go_on()

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise _StoppedError


class _StoppedError(Exception):
    """Somebody does not want to know any more."""


_LOOKS: dict[tuple[str, Asked], Look] = {}
_LOOKING = Lock()


def look(engine: Engine, asked: Asked) -> Look:
    """The look at what is published now, or one that is still under way: begun by whoever comes first, shared by the
    others."""
    key = (engine.key, asked)
    with _LOOKING:
        kept = _LOOKS.get(key)
        if kept is not None and kept.serves(engine.index.version):
            return kept
        return _begin(engine, asked)


def look_again(engine: Engine, ended: Look) -> Look:
    """Another look for the same as one that has ended, unless somebody else has begun it."""
    with _LOOKING:
        kept = _LOOKS.get((engine.key, ended.asked))
        return _begin(engine, ended.asked) if kept is None or kept is ended else kept


def _begin(engine: Engine, asked: Asked) -> Look:
    _LOOKS.pop((engine.key, asked), None)
    while len(_LOOKS) >= _KEPT:
        _LOOKS.pop(next(iter(_LOOKS))).stop()
    begun = _LOOKS[engine.key, asked] = Look(engine, asked)
    return begun


def stop_looks() -> None:
    """Leave off looking, before the indexes are closed."""
    with _LOOKING:
        looks = list(_LOOKS.values())
        _LOOKS.clear()
    for one in looks:
        one.stop()
    for one in looks:
        one.wait(10)
