"""What happened at each step, as JSON lines that any plotting program reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clipsearch.training.files import whole


class Log:
    """A file of JSON lines: one for each step (`step`, `epoch`, `loss`, `lr`, `scale`, ...) and one for each validation
    (`step`, `text_to_image_r1`, ...).

    A run that goes on after `step` steps drops what a run before it wrote beyond: those steps are made again.
    """

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        if path.exists():
            kept = [line for line in read_log(path) if line["step"] <= step]
            with whole(path) as draft:
                draft.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")

    def write(self, line: Mapping[str, Any]) -> None:
        """Add a line; it is in the file when this returns."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, without one that a crash cut off."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            lines.append(json.loads(line))
        except ValueError:
            break
    return lines
