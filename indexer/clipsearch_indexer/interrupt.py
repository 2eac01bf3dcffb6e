"""Ctrl-C as a polite request: the batch in hand is finished and published; a second one stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_interrupt(stop: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether to stop: `stop` does, or SIGINT came. Other threads than the main one
    get no signals, so there it is just `stop`."""
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    asked = False

    def note(_: int, __: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: asked or stop()
    finally:
        signal.signal(signal.SIGINT, before)
