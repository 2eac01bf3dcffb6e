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


def test_a_run_ends_in_order_with_its_server(index: Path, tmp_path: Path, open_page: Open) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 255, (1500, 16, 16, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(many / f"{number}.png")
    with served(index, tmp_path / "log") as address:
        page = open_page(f"{address}/library")
        start(page, many)
        expect(page.get_by_text("images/s")).to_be_visible(timeout=LOADED)
    # The server and its run are gone, and what was done is kept.
    assert clipsearch.verify(index).problems == ()
    with clipsearch.open(index) as opened:
        assert 2 < len(opened) < 1502
