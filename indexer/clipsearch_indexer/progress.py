"""What a run tells while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is.

    Counts are pictures: `done` of `total` to look at, of which `embedded` went through the model, `reused` had a known
    vector and `failed` could not be read. `seconds` since the work began; `note` is for the user to see at once;
    `space` names the further space at work, and is None for the main one.
    """

    stage: Literal[
        "scanning",
        "loading the model",
        "preparing the model",
        "embedding sample texts",
        "embedding",
        "importing",
        "publishing",
        "training",
        "done",
    ]
    done: int = 0
    total: int = 0
    embedded: int = 0
    reused: int = 0
    failed: int = 0
    seconds: float = 0.0
    note: str | None = None
    space: str | None = None


Listener = Callable[[Progress], None]


def preparing(listen: Listener) -> Callable[[str], None]:
    """What `clipsearch.models.load_encoder` tells, told to `listen`."""
    return lambda _: listen(Progress("preparing the model"))


def ignore(_: Progress) -> None:
    """Listen to nothing."""
