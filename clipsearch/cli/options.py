"""Options that several commands share."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from clipsearch.errors import UsageError


class Device(StrEnum):
    """Where a model runs."""

    auto = "auto"
    cuda = "cuda"
    mps = "mps"
    cpu = "cpu"


class Engine(StrEnum):
    """What runs a model."""

    auto = "auto"
    torch = "torch"
    onnx = "onnx"


class ProgressKind(StrEnum):
    """How a run says how far it is."""

    auto = "auto"
    json = "json"


IndexOption = Annotated[
    Path | None,
    typer.Option(
        "--index",
        metavar="DIR",
        envvar="CLIPSEARCH_INDEX",
        help="The index; else `.clipsearch` in this folder or one above it.",
        show_default=False,
    ),
]
DeviceOption = Annotated[Device, typer.Option("--device", help="Where the model runs.")]
EngineOption = Annotated[
    Engine,
    typer.Option(
        "--engine", help="What runs it: torch, ONNX Runtime (on a CPU), or on a CPU what proved the quicker (auto)."
    ),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Never touch the network, even for missing weights.")]
RecallOption = Annotated[
    float | None,
    typer.Option(
        "--recall",
        metavar="0..1",
        help="Share of the ten nearest a search has to find, in an index too large to look at every vector.",
        show_default="what the index has, else 0.98",
    ),
]
MemoryOption = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="What searching may keep in memory, e.g. 2G; picks the kind of search index.",
        show_default="what the index has, else no limit",
    ),
]
ProgressOption = Annotated[
    ProgressKind,
    typer.Option(
        "--progress",
        help="On standard error: a bar where that is a terminal (auto), or a JSON object a line, for programs (json).",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def bytes_of(size: str | None) -> int | None:
    """A size as a number of bytes: 500M, 2G, 1.5GB.

    Raises:
        UsageError: it is no size.
    """
    if size is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", size.strip().upper())
    if match is None:
        raise UsageError(f"{size!r} is no size; give one like 500M or 2G.")
    return int(float(match[1]) * _UNITS[match[2]])
