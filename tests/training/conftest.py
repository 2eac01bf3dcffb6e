"""A tiny CLIP and pictures with captions to train it on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.tiny_model import write_tiny

COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "black", "white")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny layers run many times slower where two threads wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with random weights."""
    return write_tiny(tmp_path_factory.mktemp("tiny"))


def paint(path: Path, number: int) -> None:
    """A picture of one colour with noise of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(number).integers(0, 60, (40, 52, 3), dtype=np.uint8)
    colour = np.asarray(Image.new("RGB", (52, 40), COLOURS[number % len(COLOURS)]), np.uint8)
    Image.fromarray(colour // 2 + noise).save(path)


def caption(number: int) -> str:
    return f"a {COLOURS[number % len(COLOURS)]} picture, number {number}"


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 pictures to train on and 8 to validate with, listed with two captions each."""
    folder = tmp_path_factory.mktemp("photos")
    lines = []
    for number in range(32):
        paint(folder / "images" / f"p{number:02d}.png", number)
        split = "train" if number < 24 else "dev"
        lines.append({"file": f"p{number:02d}.png", "split": split, "captions": [caption(number), f"no. {number}"]})
    (folder / "captions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder
