"""The map as the page shows it: made in a thread of the server, then asked for window by window."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from threading import Event, Lock, Thread

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import ClipsearchError
from clipsearch.types import Ids
from clipsearch_ui.engine import Engine

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the plane: left, top, right and bottom, of -1..1."""

    left: float = -1.0
    top: float = -1.0
    right: float = 1.0
    bottom: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """The pictures of a version on the plane, ids int64 [n] and points float32 [n, 2] in -1..1, in an order of which
    every beginning is an even sample."""

    version: int
    ids: Ids
    points: NDArray[np.float32]

    def within(self, window: Window) -> NDArray[np.intp]:
        """The places in this order of all pictures in a window, ascending."""
        x, y = self.points.T
        inside = (x >= window.left) & (x <= window.right) & (y >= window.top) & (y <= window.bottom)
        return np.flatnonzero(inside)


class Making:
    """A chart being made, by whoever asks first, for all sessions.

    Attributes:
        index_key, version: what it is made of.
        stage, done, total: what is being done, how much of how much.
        chart: what came of it, once that is there.
        error: why it broke off, in one sentence.
    """

    def __init__(self, engine: Engine) -> None:
        self.index_key, self.version = engine.key, engine.index.version
        self.stage, self.done, self.total = "", 0, 0
        self.chart: Chart | None = None
        self.error: str | None = None
        self._ended = Event()
        Thread(target=self._run, args=(engine,), name="map", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait for the end for so long; returns whether it has come."""
        return self._ended.wait(seconds)

    def _run(self, engine: Engine) -> None:
        try:
            found = engine.index.map(self._tell)
            order = np.random.default_rng(0).permutation(len(found.ids))
            self.chart = Chart(self.version, found.ids[order], found.xy[order])
        except ClipsearchError as error:
            self.error = str(error)
        except Exception:
            _log.exception("making the map")
            self.error = "Making the map broke off; the server's log says why."
        finally:
            self._ended.set()

    def _tell(self, what: str, done: int, total: int) -> None:
        self.stage, self.done, self.total = what, done, total


_MAKING: dict[str, list[Making]] = {}
_STARTING = Lock()


def making(engine: Engine) -> Making:
    """The chart of the version that is open, which is being made or is there already."""
    with _STARTING:
        before = _MAKING.setdefault(engine.key, [])
        if not before or before[-1].version != engine.index.version or before[-1].error is not None:
            # The one before is still on somebody's screen.
            _MAKING[engine.key] = [*[one for one in before if one.chart is not None][-1:], Making(engine)]
        return _MAKING[engine.key][-1]


def chart_of(index_key: str, version: int) -> Chart | None:
    """The chart of a version, if it is there."""
    with _STARTING:
        return next((one.chart for one in _MAKING.get(index_key, []) if one.version == version), None)


def latest_chart(index_key: str) -> Chart | None:
    """The newest chart of an index that is there."""
    with _STARTING:
        charts = [one.chart for one in _MAKING.get(index_key, []) if one.chart is not None]
        return charts[-1] if charts else None
