"""A training's progress on standard error: in a terminal steps, loss, learning rate and time left; for programs a line
of JSON for each step. Silent where nobody watches."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clipsearch.cli.options import ProgressKind

if TYPE_CHECKING:
    from clipsearch.training import TrainingProgress

Listener = Callable[["TrainingProgress"], None]


def shown_training(kind: ProgressKind) -> AbstractContextManager[Listener]:
    """A listener for `clipsearch.train`, for as long as the context lasts."""
    return nullcontext(_print_json) if kind is ProgressKind.json else _bar()


def _print_json(state: TrainingProgress) -> None:
    from dataclasses import asdict

    print(json.dumps(asdict(state)), file=sys.stderr, flush=True)


@contextmanager
def _bar() -> Iterator[Listener]:
    bar = Progress(
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}  lr {task.fields[lr]:.1e}  {task.fields[rate]:.0f} pairs/s"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=None, visible=False, epoch=1, loss=0.0, lr=0.0, rate=0.0)
        yield lambda state: bar.update(
            task,
            visible=True,
            completed=state.step,
            total=state.steps,
            epoch=state.epoch,
            loss=state.loss,
            lr=state.lr,
            rate=state.pairs_per_second,
        )
