"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Device(StrEnum):
    """Where a model runs."""

    auto = "auto"
    cuda = "cuda"
    mps = "mps"
    cpu = "cpu"


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
OfflineOption = Annotated[bool, typer.Option("--offline", help="Never touch the network, even for missing weights.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
