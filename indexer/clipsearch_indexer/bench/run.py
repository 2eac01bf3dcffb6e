"""`bench_index`: runs every engine end to end, and says how it did."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec

from clipsearch.errors import ClipsearchError, UsageError
from clipsearch.models.names import HfName, parse
from clipsearch.models.towers.engine import require_engine
from clipsearch.types import RunTiming, Tell
from clipsearch_indexer.bench.cosines import Reference
from clipsearch_indexer.bench.memory import watched
from clipsearch_indexer.bench.pictures import SIZES, make_pictures
from clipsearch_indexer.bench.process import Line, Measured, Refused, Step, Task


@dataclass(frozen=True, slots=True)
class IndexBench:
    """How one engine did with one model.

    Attributes:
        model: the model's name.
        engine: what ran it.
        pictures: how many were embedded.
        images_per_second: from the first picture to the last that is on the disk; loading the model is not in it.
        fed: pictures a second where the encoder alone gets arrays, on an idle machine: no run can be quicker.
        share: the first of these over the second; 1 is a run in which the encoder never waited.
        peak_memory: bytes of the run and its decoders together; None where the system does not tell.
        cosine_least: of the worst of up to 64 pictures, to torch in float32 on the whole picture.
        cosine_median: of the same.
        timing: where the time went.
    """

    model: str
    engine: str
    pictures: int
    images_per_second: float
    fed: float
    share: float
    peak_memory: int | None
    cosine_least: float
    cosine_median: float
    timing: RunTiming


def bench_index(
    sources: str | Path | Sequence[str | Path] = (),
    *,
    models: Sequence[str] = ("mini",),
    engines: Sequence[str] = (),
    device: str = "auto",
    pictures: int = 300,
    sizes: Sequence[tuple[int, int]] = SIZES,
    offline: bool = False,
    tell: Tell = lambda what, done, total: None,
) -> list[IndexBench]:
    """Index pictures with each model and engine, each time in a new process and a new index that is removed again.

    Args:
        sources: what to index; without any, pictures are made of the shipped gallery.
        models: as for `build`.
        engines: as for `build`; by default all that can run the model on the device.
        device: as for `build`.
        pictures: how many to make.
        sizes: (width, height) in pixels of those that are made, one after the other.
        offline: never touch the network.
        tell: hears what is being done.

    Raises:
        UsageError: fewer than one picture is to be made, or there is no such engine, or not on the device.
        ClipsearchError: a model cannot be loaded, or there are no pictures in the sources.
    """
    if pictures < 1:
        raise UsageError("At least one picture has to be made.")
    for engine in engines:
        require_engine(engine, device)
    given = [sources] if isinstance(sources, (str, Path)) else list(sources)
    found: list[IndexBench] = []
    with TemporaryDirectory(prefix="clipsearch-bench-") as name:
        place = Path(name)
        if not given:
            made = place / "pictures"
            make_pictures(made, pictures, sizes=sizes, tell=lambda done: tell("making pictures", done, pictures))
            given = [made]
        listed = tuple(os.fspath(source) for source in given)
        for model in models:
            reference = None
            for engine in engines or _engines_for(model, device):
                task = Task(listed, str(place / f"{len(found)}.index"), model, engine, device, offline)
                measured, peak = _measured(task, tell)
                tell(f"{model}, {engine}: comparing vectors", 0, 0)
                # Loaded after the first run, which finds out whether the model is any good.
                reference = reference or Reference(model, offline=offline)
                found.append(_row(task, measured, peak, reference.cosines(Path(task.index))))
    return found


def _engines_for(model: str, device: str) -> tuple[str, ...]:
    return ("torch",) if device in ("cuda", "mps") or isinstance(parse(model), HfName) else ("onnx", "torch")


def _row(task: Task, measured: Measured, peak: int | None, cosines: Sequence[float]) -> IndexBench:
    rate = measured.timing.images_per_second
    return IndexBench(
        model=measured.model,
        engine=task.engine,
        pictures=measured.embedded,
        images_per_second=rate,
        fed=measured.fed,
        share=rate / measured.fed,
        peak_memory=peak,
        cosine_least=min(cosines),
        cosine_median=median(cosines),
        timing=measured.timing,
    )


def _measured(task: Task, tell: Tell) -> tuple[Measured, int | None]:
    """What a process of its own makes of a task, and the most memory it took."""
    command = [sys.executable, "-m", "clipsearch_indexer.bench.process"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        run.stdin.write(msgspec.json.encode(task))
        run.stdin.close()
        last: Line | None = None
        with watched(run.pid) as peak:
            for line in run.stdout:
                last = msgspec.json.decode(line, type=Line)
                if isinstance(last, Step):
                    tell(f"{task.model}, {task.engine}: {last.what}", last.done, last.total)
    if isinstance(last, Refused):
        raise ClipsearchError(last.message)
    if not isinstance(last, Measured):
        raise ClipsearchError(
            f"The run with {task.engine} ended before it was measured (exit status {run.returncode}); look for the "
            "reason with `clipsearch index` and the same options."
        )
    return last, peak.bytes
