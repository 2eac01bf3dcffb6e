"""The library page in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import clipsearch

from .conftest import Build, draw, served

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

Open = Callable[..., "Page"]
MANY = 1500
LOADED = 120_000  # milliseconds for a process that loads a model while others do their work


@pytest.fixture(autouse=True)
def _own_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def index(tmp_path: Path, build: Build) -> Path:
    """An index of two pictures."""
    draw(tmp_path / "photos" / "red.png", "red", mtime=1)
    draw(tmp_path / "photos" / "blue.png", "blue", mtime=2)
    build(tmp_path / "photos", tmp_path / "photos.index")
    return tmp_path / "photos.index"


def start(page: Page, source: Path) -> None:
    page.get_by_label("What to index").fill(str(source))
    page.get_by_role("button", name="Start").click()


def test_a_picture_indexed_from_the_page_appears_in_another_tab(index: Path, tmp_path: Path, open_page: Open) -> None:
    """And a run ends in order with its server."""
    with served(index, tmp_path / "log") as address:
        search = open_page(address)
        expect(search.locator(".grid img")).to_have_count(2)
        library = open_page(f"{address}/library")
        draw(tmp_path / "more" / "green.png", "green", mtime=3)
        start(library, tmp_path / "more")
        expect(library.get_by_text("Indexing into photos.index")).to_be_visible()
        expect(library.get_by_text("Done: 1 embedded")).to_be_visible(timeout=LOADED)
        expect(search.locator(".grid img")).to_have_count(3)
        expect(search.locator(".grid img").first).to_have_attribute("alt", "green.png")
        expect(library.get_by_text("3 pictures · model mini, ")).to_be_visible()
        expect(library.get_by_label("What to index")).to_have_value(str(tmp_path / "more"))

        search.close()
        start(library, many_in(tmp_path / "many"))
        expect(library.get_by_text("images/s")).to_be_visible(timeout=LOADED)
    # The server and its run are gone, and what was done is kept.
    assert clipsearch.verify(index).problems == ()
    with clipsearch.open(index) as opened:
        assert 3 < len(opened) < 3 + MANY


def many_in(folder: Path) -> Path:
    folder.mkdir()
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 255, (MANY, 16, 16, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder
