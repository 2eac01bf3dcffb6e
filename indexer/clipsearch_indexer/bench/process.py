"""One measured run, in the process that `run` starts for it: it reads a task and writes lines of JSON."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import msgspec
import numpy as np

from clipsearch.errors import ClipsearchError, SourceError
from clipsearch.models import load_encoder
from clipsearch.types import Encoder, RunTiming
from clipsearch_indexer import Progress, build

_FED_SECONDS = 3.0
"""To feed arrays for, before the run and after it: processors slow down as they get warm."""

_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Task:
    """A run to measure: `sources` into a new `index`."""

    sources: tuple[str, ...]
    index: str
    model: str
    engine: str
    device: str
    offline: bool


class Step(msgspec.Struct, tag=True, frozen=True):
    """What is being done, and how much of how much is."""

    what: str
    done: int = 0
    total: int = 0


class Measured(msgspec.Struct, tag=True, frozen=True):
    """What came of it: `embedded` pictures in all, `fed` pictures a second where the encoder got arrays."""

    model: str
    embedded: int
    fed: float
    timing: RunTiming


class Refused(msgspec.Struct, tag=True, frozen=True):
    """Why nothing came of it, in a sentence."""

    message: str


Line = Step | Measured | Refused


def measure(task: Task, tell: Callable[[Step], None]) -> Measured:
    """Load the model, feed it arrays, index, and feed it arrays once more.

    Raises:
        ClipsearchError: the model cannot be loaded, or there is nothing to index.
    """
    tell(Step("loading the model"))
    encoder = load_encoder(
        task.model, device=task.device, engine=task.engine, offline=task.offline, tell=lambda what: tell(Step(what))
    )
    before = fed_seconds(encoder)
    report = build(
        task.sources,
        task.index,
        encoder=encoder,
        progress=lambda state: tell(_step(state)),
    )
    if report.timing is None or not report.embedded:
        raise SourceError(f"There are no pictures to index in {', '.join(task.sources)}; name another folder.")
    tell(Step("feeding the model"))
    fed = encoder.batch_size / median(before + fed_seconds(encoder))
    return Measured(encoder.name, report.embedded, fed, report.timing)


def _step(state: Progress) -> Step:
    return Step(state.stage, state.done, state.total)


def fed_seconds(encoder: Encoder) -> list[float]:
    """Seconds that each of several batches of `encoder.batch_size` pictures takes, given as arrays.

    What they show makes no difference to the time.
    """
    wanted = encoder.preprocessing
    shape = (encoder.batch_size, wanted.height, wanted.width, 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    encoder.encode_images(pixels)  # the first one loads what it needs
    taken: list[float] = []
    while sum(taken) < _FED_SECONDS or len(taken) < _FEWEST:
        started = time.perf_counter()
        encoder.encode_images(pixels)
        taken.append(time.perf_counter() - started)
    return taken


def main() -> None:
    """Read a `Task` from standard input; the last line written is `Measured` or `Refused`."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)

    def write(line: Line) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()

    try:
        write(measure(task, write))
    except ClipsearchError as error:
        write(Refused(str(error)))


if __name__ == "__main__":
    main()
