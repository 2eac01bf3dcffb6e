"""The page in a real browser, served as a user starts it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import draw, served

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")]

# The first search loads the model.
playwright.expect.set_options(timeout=40_000)

PICTURES = "[class*='st-key-tile-'] img"


@pytest.fixture(scope="module")
def address(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(photos, tmp_path_factory.mktemp("server") / "log") as place:
        yield place


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as play:
        launched = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(address: str, browser: playwright.Browser) -> Iterator[playwright.Page]:
    """The page as it opens; at the end nothing may have been asked of any other machine, nor gone wrong in it."""
    asked: list[str] = []
    broken: list[str] = []
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(20_000)
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("websocket", lambda socket: asked.append(socket.url.replace("ws://", "http://")))
    opened.on("pageerror", lambda error: broken.append(str(error)))
    opened.goto(address)
    yield opened
    opened.close()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert broken == []


def expect_pictures(page: playwright.Page, count: int, first: str | None = None) -> None:
    playwright.expect(page.locator(PICTURES)).to_have_count(count)
    if first is not None:
        playwright.expect(page.locator(PICTURES).first).to_have_attribute("alt", first)


def expect_settled(page: playwright.Page) -> None:
    """The server has drawn all of the page."""
    playwright.expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def expect_loaded(page: playwright.Page) -> None:
    """Every picture that should be there gets its pixels, once it has come into view."""
    for picture in page.locator(PICTURES).all():
        picture.scroll_into_view_if_needed()
        playwright.expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("one => one.naturalWidth") > 0


def test_a_visit(page: playwright.Page, address: str) -> None:
    expect_pictures(page, 60, "newest.jpg")
    expect_loaded(page)
    page.get_by_role("button", name="Show more").click()
    expect_pictures(page, 70, "newest.jpg")
    field = page.get_by_label("Search", exact=True)

    field.fill("a green meadow")
    field.press("Enter")
    playwright.expect(page).to_have_url(f"{address}/?q=a+green+meadow")
    playwright.expect(page.locator(".about-picture b").first).to_be_visible()
    expect_settled(page)
    count = page.locator(PICTURES).count()
    assert 0 < count < 60
    best = page.locator(PICTURES).first.get_attribute("alt")

    page.get_by_role("button", name="More like this").first.click()
    playwright.expect(page.locator(".st-key-resembled")).to_contain_text(f"Pictures that resemble {Path(best).name}")
    playwright.expect(field).to_have_value("")
    assert best not in page.eval_on_selector_all(PICTURES, "all => all.map(one => one.alt)")

    page.go_back()
    playwright.expect(field).to_have_value("a green meadow")
    expect_pictures(page, count, best)
    expect_loaded(page)

    field.fill("a cat")
    field.press("Enter")
    playwright.expect(page.get_by_text("Nothing here looks like that")).to_be_visible()
    page.get_by_role("button", name="Show the nearest all the same").click()
    expect_pictures(page, 60)


def test_a_picture_is_uploaded(page: playwright.Page, tmp_path: Path) -> None:
    draw(tmp_path / "query.png", "yellow")
    expect_pictures(page, 60)
    page.get_by_role("button", name="By picture").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "query.png")
    playwright.expect(page.locator(".st-key-resembled")).to_contain_text("Pictures that resemble yours")
    playwright.expect(page.locator(".about-picture b")).to_have_count(60)
    expect_loaded(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect_pictures(page, 60, "newest.jpg")


def test_the_rows_of_the_grid_are_level(page: playwright.Page) -> None:
    expect_pictures(page, 60)
    expect_loaded(page)
    boxes = page.eval_on_selector_all(PICTURES, "all => all.map(one => one.getBoundingClientRect().toJSON())")
    rows: dict[int, list[dict[str, float]]] = {}
    for box in boxes:
        rows.setdefault(round(box["top"]), []).append(box)
    assert 2 < len(rows) < 40
    for row in rows.values():
        assert max(box["height"] for box in row) - min(box["height"] for box in row) < 2
        assert max(box["right"] for box in row) <= 1280
