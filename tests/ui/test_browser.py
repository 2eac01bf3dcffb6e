"""The search page in a real browser, served as a user starts it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import draw, served

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

PICTURES = ".grid img"
Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def address(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(photos, tmp_path_factory.mktemp("server") / "log") as place:
        yield place


def expect_pictures(page: Page, count: int, first: str | None = None) -> None:
    expect(page.locator(PICTURES)).to_have_count(count)
    if first is not None:
        expect(page.locator(PICTURES).first).to_have_attribute("alt", first)


def expect_loaded(page: Page) -> None:
    """Every picture that should be there gets its pixels, once it has come into view."""
    for picture in page.query_selector_all(PICTURES):
        picture.scroll_into_view_if_needed()
    page.wait_for_function(
        "pictures => [...document.querySelectorAll(pictures)].every(one => one.complete && one.naturalWidth > 0)",
        arg=PICTURES,
    )


def alts(page: Page) -> list[str]:
    return page.eval_on_selector_all(PICTURES, "all => all.map(one => one.alt)")


def search(page: Page, text: str) -> None:
    field = page.get_by_label("Search", exact=True)
    field.fill(text)
    field.press("Enter")


def test_a_visit(open_page: Open, address: str) -> None:
    page = open_page(address)
    expect_pictures(page, 60, "newest.jpg")
    expect_loaded(page)
    page.get_by_role("button", name="Show more").click()
    expect_pictures(page, 70, "newest.jpg")
    field = page.get_by_label("Search", exact=True)

    search(page, "a green meadow")
    expect(page).to_have_url(f"{address}/?q=a+green+meadow")
    expect(page.locator(".grid")).to_have_attribute("data-what", "q=a green meadow:1")
    count, best = page.locator(PICTURES).count(), alts(page)[0]
    assert 0 < count < 60
    expect(page.locator(".about-picture").first).to_have_text(re.compile(rf"0\.\d\d {re.escape(Path(best).name)}"))

    page.locator(".grid .tile").first.hover()
    page.get_by_role("button", name="More like this").first.click()
    expect(page.locator(".st-key-chips")).to_contain_text(Path(best).name)
    expect(field).to_have_value("")
    expect(page.locator(f'.grid img[alt="{best}"]')).to_have_count(0)

    page.go_back()
    expect(field).to_have_value("a green meadow")
    expect_pictures(page, count, best)
    expect_loaded(page)

    search(page, "two dogs")
    expect(page.get_by_text("Nothing here looks like that")).to_be_visible()
    page.get_by_role("button", name="Show the nearest all the same").click()
    expect_pictures(page, 60)


def test_a_bookmark_of_weighted_terms(open_page: Open, address: str) -> None:
    page = open_page(f"{address}/?q=a+green+meadow&also=snow%3A-0.5&like=3%3A0.5&not=a+cat&all=1")
    expect(page.locator(".st-key-chips img")).to_have_count(1)
    expect(page.locator(".st-key-chips")).to_contain_text("without a cat")
    expect_pictures(page, 60)
    before = alts(page)
    page.get_by_role("button", name="snow · -0.5").click()
    page.get_by_role("slider").press("Home")
    expect(page).to_have_url(re.compile("also=snow%3A-2"))
    expect(page.locator(".grid")).to_have_attribute("data-what", re.compile("also=snow:-2"))
    assert alts(page) != before
    page.keyboard.press("Escape")
    page.locator(".st-key-chip-2").get_by_role("button").last.click()
    expect(page.locator(".st-key-chips img")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("like="))


def test_a_picture_is_uploaded_pasted_and_dropped(open_page: Open, address: str, tmp_path: Path) -> None:
    draw(tmp_path / "query.png", "yellow")
    page = open_page(address)
    expect_pictures(page, 60)
    page.get_by_role("button", name="By picture").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "query.png")
    expect(page.locator(".st-key-chips")).to_contain_text("Your picture")
    expect(page.locator(".st-key-chips img")).to_have_js_property("complete", True)
    expect(page.locator(".grid b").first).to_have_text(re.compile(r"\d\.\d\d"))
    expect(page.locator(PICTURES).first).to_have_attribute("alt", re.compile("yellow"))
    page.keyboard.press("Escape")
    page.locator(".st-key-chip-0").get_by_role("button").last.click()
    expect_pictures(page, 60, "newest.jpg")

    for how in ("paste", "drop"):
        colour = {"paste": "blue", "drop": "green"}[how]
        give(page, how, draw(tmp_path / f"{how}.png", colour))
        expect(page.locator(".st-key-chips")).to_contain_text("Your picture")
        expect(page.locator(PICTURES).first).to_have_attribute("alt", re.compile(colour))
        page.locator(".st-key-chip-0").get_by_role("button").last.click()
        expect_pictures(page, 60, "newest.jpg")
    give(page, "drop", b"no picture")
    expect(page.get_by_text("not a picture")).to_be_visible()


def give(page: Page, how: str, picture: bytes) -> None:
    """Paste or drop a file as a browser reports it."""
    page.evaluate(
        """([how, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "given.png", {type: "image/png"}));
            const event = how === "paste" ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true})
                : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
            document.body.dispatchEvent(event);
        }""",
        [how, list(picture)],
    )


def test_the_keyboard_is_enough(open_page: Open, address: str) -> None:
    page = open_page(address)
    expect_pictures(page, 60, "newest.jpg")
    page.keyboard.press("/")
    field = page.get_by_label("Search", exact=True)
    expect(field).to_be_focused()
    page.keyboard.type("a/b")
    expect(field).to_have_value("a/b")
    page.keyboard.press("Escape")
    field.fill("")
    field.blur()
    opens = page.locator(".grid .open")
    page.keyboard.press("ArrowRight")
    expect(opens.nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(opens.nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    below = page.evaluate("[...document.querySelectorAll('.grid .open')].indexOf(document.activeElement)")
    assert below > 2
    page.keyboard.press("ArrowUp")
    expect(opens.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"picture=\d+"))


def test_the_rows_of_the_grid_are_level(open_page: Open, address: str) -> None:
    page = open_page(address)
    expect_pictures(page, 60)
    expect_loaded(page)
    expect_level(page, 1280)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(
        "pictures => [...document.querySelectorAll(pictures)].every(one => one.getBoundingClientRect().right <= 390)",
        arg=PICTURES,
    )
    expect_level(page, 390)


def expect_level(page: Page, width: int) -> None:
    boxes = page.eval_on_selector_all(PICTURES, "all => all.map(one => one.getBoundingClientRect().toJSON())")
    rows: dict[int, list[dict[str, float]]] = {}
    for box in boxes:
        rows.setdefault(round(box["top"]), []).append(box)
    assert 2 < len(rows) < 60
    for row in rows.values():
        assert max(box["height"] for box in row) - min(box["height"] for box in row) < 2
        assert max(box["right"] for box in row) <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
