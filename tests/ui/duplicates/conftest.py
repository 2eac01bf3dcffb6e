"""Pictures that are there more than once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import clipsearch
from clipsearch_ui.duplicates.look import Look, stop_looks
from clipsearch_ui.engine import Engine, open_engine

from ..conftest import Build

GALLERY = Path(clipsearch.__file__).parent / "gallery"
SCENES = sorted(GALLERY.glob("[b-z]*/*.jp*g"))[::12]
MANY = 30


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory, build: Build) -> Path:
    """Scenes in `scenes`, each older than its copies: of the first three an equal, a half as large and a poorer copy in
    `copies`, and of the fourth many equal ones."""
    folder = tmp_path_factory.mktemp("album") / "photos"
    (folder / "scenes").mkdir(parents=True)
    (folder / "copies").mkdir()
    for number, scene in enumerate(SCENES):
        kept = shutil.copy(scene, folder / "scenes" / f"{number}.jpg")
        os.utime(kept, (1_600_000_000 + number,) * 2)
    for number, scene in enumerate(SCENES[:3]):
        shutil.copy(scene, folder / "copies" / f"{number}-equal.jpg")
        with Image.open(scene) as opened:
            opened.resize((opened.width // 2, opened.height // 2)).save(folder / "copies" / f"{number}-half.jpg")
            opened.save(folder / "copies" / f"{number}-poor.jpg", quality=30)
    for number in range(MANY):
        shutil.copy(SCENES[3], folder / "copies" / f"3-{number}.jpg")
    shutil.copy(SCENES[4], os.fsencode(folder / "copies") + b"/4-\xff.jpg")
    index = folder.with_name("album.index")
    build(folder, index)
    return index


@pytest.fixture
def engine(album: Path) -> Engine:
    return open_engine(album)


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    stop_looks()


def ended(one: Look) -> Look:
    assert one.wait(120)
    return one
