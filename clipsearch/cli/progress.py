"""A run's progress on standard error: in a terminal done/total, images/s, time left; for programs a line of JSON for
each step. Silent where nobody watches."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clipsearch.cli.options import ProgressKind

if TYPE_CHECKING:
    from clipsearch.types import Tell
    from clipsearch_indexer import Progress as State

Listener = Callable[["State"], None]

_SHORTEST_STEP = 0.1  # seconds between two drawings


def shown_progress(kind: ProgressKind = ProgressKind.auto) -> AbstractContextManager[Listener]:
    """A listener for `clipsearch.build`, for as long as the context lasts."""
    return nullcontext(_print_json) if kind is ProgressKind.json else _bar()


def _print_json(state: State) -> None:
    from dataclasses import asdict

    print(json.dumps(asdict(state)), file=sys.stderr, flush=True)


@contextmanager
def _bar() -> Iterator[Listener]:
    """Draw a bar on the standard error stream of a terminal.

    A note is printed at once, terminal or not: it changes what the user gets.
    """
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}"),
        console=console,
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=None, rate="", failed="")
        drawn = -_SHORTEST_STEP

        def listen(state: State) -> None:
            nonlocal drawn
            if state.note:
                console.print(Panel(state.note, title="Please note", border_style="yellow"))
            if state.stage == "embedding" and 0 < state.seconds - drawn < _SHORTEST_STEP:
                return
            drawn = state.seconds
            bar.update(
                task,
                description=f"{state.stage} ({state.space})" if state.space else state.stage,
                completed=state.done,
                total=state.total or None,
                rate=f"{state.done / state.seconds:.0f} images/s" if state.done and state.seconds else "",
                failed=f"{state.failed} failed" if state.failed else "",
            )

        yield listen


@contextmanager
def shown_steps() -> Iterator[Tell]:
    """Yield a listener for work in several steps that draws a bar on the standard error stream of a terminal.

    What is printed meanwhile scrolls by above the bar.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # a pipe must get what is its own
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=None, visible=False)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total or None, visible=True
        )


@contextmanager
def shown_count(description: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a listener for one step, as `shown_steps` does: so many done, of so many."""
    with shown_steps() as tell:
        yield partial(tell, description)
