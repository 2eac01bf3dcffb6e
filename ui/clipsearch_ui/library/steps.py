"""What an indexing run says of itself, as `clipsearch index --json --progress json` prints it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is: `done` of `total` in a stage, and pictures that could not be read; `seconds` since the work
    began."""

    stage: str
    done: int = 0
    total: int = 0
    failed: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float | None:
        """Pictures a second, once that can be said."""
        return self.done / self.seconds if self.stage == "embedding" and self.done and self.seconds else None

    @property
    def left(self) -> float | None:
        """Seconds until the pictures are done, if they go on like this."""
        return (self.total - self.done) / self.rate if self.rate else None


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, in pictures; see `clipsearch.types.IndexReport`."""

    embedded: int
    reused: int
    unchanged: int
    removed: int
    failed: int
    total: int
    seconds: float
    interrupted: bool
    offline_roots: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def step_in(line: str) -> Step | None:
    """The step that a line of a run's standard error tells of; None where it is something else."""
    try:
        return msgspec.json.decode(line, type=Step)
    except ValueError:
        return None


def report_in(output: bytes) -> Report | None:
    """The report that a run's standard output is, if it is one."""
    try:
        return msgspec.json.decode(output, type=Report)
    except ValueError:
        return None
