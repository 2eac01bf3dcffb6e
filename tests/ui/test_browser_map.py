"""The map in a real browser: dots, thumbnails when near, and a way from there to a search."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import served

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

MAP = ".collection-map"
Open = Callable[..., "Page"]

# Where the canvas is not empty, and how much of it.
INKED = """canvas => {
  const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const inked = [];
  for (let i = 0; i < data.length / 4; i++) if (data[4 * i + 3] > 200) inked.push(i);
  const [first] = inked;
  return { count: inked.length, x: first % width, y: Math.floor(first / width) };
}"""


@pytest.fixture(scope="module")
def address(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(photos, tmp_path_factory.mktemp("server") / "log") as place:
        yield place


def drawn(page: Page) -> Page:
    expect(page.locator(MAP)).to_have_attribute("data-drawn", "70")
    return page


def test_pictures_are_drawn_and_one_becomes_a_search(open_page: Open, address: str) -> None:
    page = drawn(open_page(f"{address}/map?colour=width"))
    expect(page.locator(MAP)).to_have_attribute("data-thumbnails", re.compile("[1-9]"))
    canvas = page.locator(f"{MAP} canvas")
    ink = canvas.evaluate(INKED)
    assert ink["count"] > 70
    canvas.click(position={"x": ink["x"] + 2, "y": ink["y"] + 4})
    card = page.locator(f"{MAP} .card")
    expect(card).to_be_visible()
    chosen = card.get_by_text("Search from here").get_attribute("href").partition("=")[2]
    card.get_by_text("Search from here").click()
    expect(page).to_have_url(f"{address}/?like={chosen}")
    expect(page.locator(".grid img").first).to_be_visible()
    page.go_back()
    drawn(page)


def test_the_keyboard_moves_and_chooses(open_page: Open, address: str) -> None:
    page = drawn(open_page(f"{address}/map"))
    canvas = page.get_by_role("application", name="Map of 70 pictures")
    canvas.focus()
    for _ in range(4):
        page.keyboard.press("+")
    expect(page.locator(MAP)).to_have_attribute("data-scale", "5.06")
    page.keyboard.press("0")
    expect(page.locator(MAP)).to_have_attribute("data-scale", "1.00")
    page.keyboard.press("Enter")
    expect(page.locator(f"{MAP} .card img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(f"{MAP} .card")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator(f"{MAP} .card").get_by_text("Open")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"{address}/\?picture=\d+"))


def test_the_wheel_and_the_mouse_move_it_and_pointing_names_a_picture(open_page: Open, address: str) -> None:
    page = drawn(open_page(f"{address}/map"))
    canvas = page.locator(f"{MAP} canvas")
    canvas.hover(position={"x": 300, "y": 200})
    page.mouse.wheel(0, -800)
    expect(page.locator(MAP)).not_to_have_attribute("data-scale", "1.00")
    page.locator(f"{MAP} .zoom").get_by_label("Show all").click()
    expect(page.locator(MAP)).to_have_attribute("data-scale", "1.00")
    ink = canvas.evaluate(INKED)
    canvas.hover(position={"x": ink["x"] + 2, "y": ink["y"] + 3})
    expect(page.locator(f"{MAP} .hint img")).to_be_visible()
    before = page.locator(MAP).get_attribute("data-drawn")
    page.mouse.down()
    page.mouse.move(5000, 300, steps=4)
    page.mouse.up()
    expect(page.locator(MAP)).not_to_have_attribute("data-drawn", before or "")
    expect(page.locator(f"{MAP} .card")).to_be_hidden()


def test_it_fits_a_phone(open_page: Open, address: str) -> None:
    page = drawn(open_page(f"{address}/map", width=390, has_touch=True))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator(f"{MAP} .plane").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
