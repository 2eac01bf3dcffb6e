"""Indexing runs: one at a time for the whole server, each in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryFile
from threading import Lock, Thread

from clipsearch.errors import ClipsearchError, IndexBusy
from clipsearch_ui.library.steps import Report, Step, report_in, step_in

_SAYS = "clipsearch: "
"""How the commands begin the sentence that tells an error."""

_NICENESS = 10
_PATIENCE = 15.0  # seconds a run gets to publish what it has done, when the server ends


class Run:
    """A command that indexes, in a process that can neither take the page down with it nor hold it up. Safe to use from
    several threads.

    Attributes:
        index: the index directory.
        step: how far it is.
        outcome: what it did, or a sentence that says why it did not; None while it goes on.
    """

    def __init__(self, index: Path, command: str, arguments: Sequence[str]) -> None:
        self.index = index
        self.step = Step("starting")
        self.outcome: Report | str | None = None
        self.cancelled = False
        self._printed = TemporaryFile()  # noqa: SIM115 - closed by the reader
        # -P: a folder the server was started in is no place to import from. A session of its own: Ctrl-C in a terminal
        # would reach it besides our own request, and two of them stop a run at once.
        self._process = Popen(
            [sys.executable, "-P", "-m", "clipsearch", command, "--json", "--progress", "json", *arguments],
            stdin=DEVNULL,
            stdout=self._printed,
            stderr=PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        with suppress(OSError, AttributeError):  # those who search meanwhile go first, where the system knows how
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICENESS)
        self._reader = Thread(target=self._follow, daemon=True)
        self._reader.start()

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.outcome is None

    def cancel(self) -> None:
        """Ask it to finish the batch in hand, to publish what is done and to end. Asked once more, it ends at once:
        what is not written yet is lost, the index is as sound.
        """
        if self.cancelled or os.name == "nt":  # Windows has no such request
            self._process.kill()
        else:
            self._process.send_signal(signal.SIGINT)
        self.cancelled = True

    def wait(self, seconds: float | None = None) -> None:
        """Wait for its end, but no longer than that."""
        self._reader.join(seconds)

    def _follow(self) -> None:
        said: list[str] = []
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                step = step_in(line)
                if step is not None:
                    self.step = step
                elif said or line.startswith(_SAYS):
                    said.append(line.removeprefix(_SAYS))
        code = self._process.wait()
        with self._printed as printed:
            printed.seek(0)
            report = report_in(printed.read())
        self.outcome = report or self._sentence("".join(said).strip(), code)

    def _sentence(self, said: str, code: int) -> str:
        if self.cancelled:
            return "Cancelled; what was stored before is kept, and the next run goes on from there."
        if code == 0:
            return "There was nothing to do."
        return said or (
            f"The run ended unexpectedly (exit status {code}); what it had stored is kept, start it again to go on."
        )


_LATEST: list[Run] = []
_STARTING = Lock()


def latest() -> Run | None:
    """The run under way, or the last one that was."""
    return _LATEST[0] if _LATEST else None


def index(place: Path, sources: Sequence[str], model: str | None = None) -> Run:
    """Index folders, Parquet files or globs into an index directory, a new one with the given model.

    Raises:
        IndexBusy: another run is under way.
        ClipsearchError: no process can be started.
    """
    named = ["--model", model] if model else []
    return _start(place, "index", [f"--index={place}", *named, "--", *sources])


def retry(place: Path) -> Run:
    """Look again at the files of an index that could not be read; raises as `index` does."""
    return _start(place, "failures", ["--retry", f"--index={place}"])


def stop() -> None:
    """End the run that is under way, if there is one, as `Run.cancel` does; what takes too long is ended at once."""
    with _STARTING:
        run = latest()
        if run is None or not run.is_running:
            return
        if not run.cancelled:
            run.cancel()
        run.wait(_PATIENCE)
        if run.is_running:
            run.cancel()
            run.wait()


def _start(place: Path, command: str, arguments: Sequence[str]) -> Run:
    with _STARTING:
        run = latest()
        if run is not None and run.is_running:
            raise IndexBusy(f"{run.index} is being indexed just now; wait for that to end, or cancel it.")
        try:
            _LATEST[:] = [Run(place, command, arguments)]
        except OSError as error:
            raise ClipsearchError(f"The run could not be started ({error.strerror}); try again later.") from None
        return _LATEST[0]
