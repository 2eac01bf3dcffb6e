"""Running commands in this process, so that torch is loaded once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clipsearch.cli.app import main


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def no_index_from_outside(monkeypatch) -> None:
    monkeypatch.delenv("CLIPSEARCH_INDEX", raising=False)


@pytest.fixture
def run(capsys, monkeypatch) -> Callable[..., Result]:
    def call(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["clipsearch", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


def paint(path: Path, colour: str, seed: int = 0) -> None:
    noise = np.random.default_rng(seed).integers(0, 40, (48, 64, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.asarray(Image.new("RGB", (64, 48), colour), dtype=np.uint8)
    Image.fromarray(np.maximum(picture, noise)).save(path)


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """A folder of eight pictures and two bad files, indexed with mini into its own `.clipsearch`."""
    from clipsearch_indexer import build

    folder = tmp_path_factory.mktemp("home") / "photos"
    for number, colour in enumerate(["red", "blue", "green", "yellow", "white", "black", "orange", "purple"]):
        paint(folder / ("a" if number % 2 else "b") / f"{colour}.png", colour, number)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing more")
    (folder / "empty.png").write_bytes(b"")
    build(folder, folder / ".clipsearch", model="mini", offline=True)
    return folder
