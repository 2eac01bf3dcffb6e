"""The filters in a real browser: what scripts of our own draw, and what it comes to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from .conftest import Build, served
from .filtered import make

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, build: Build) -> Iterator[str]:
    place = tmp_path_factory.mktemp("filters")
    with served(make(place, build), place / "log") as address:
        yield address


def expect_pictures(page: Page, count: int) -> None:
    expect(page.locator(".grid img")).to_have_count(count)


def drag(page: Page, start: int, end: int) -> None:
    """Over the histogram, from one bar to another."""
    page.locator(".histogram").scroll_into_view_if_needed()
    bars = [page.locator(".histogram button").nth(place).bounding_box() for place in (start, end)]
    assert bars[0] is not None
    assert bars[1] is not None
    middles = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in bars if box]
    page.mouse.move(*middles[0])
    page.mouse.down()
    page.mouse.move(*middles[1], steps=5)
    page.mouse.up()


def test_a_range_is_dragged_over_the_histogram_and_taken_back(address: str, open_page: Open) -> None:
    page = open_page(address)
    expect_pictures(page, 60)
    # Bars are months; every photo was taken on a fifteenth, a third of them in 2020.
    drag(page, 11, 0)
    expect(page).to_have_url(re.compile("after=2020-01-01&before=2020-12-31"))
    expect_pictures(page, 12)
    expect(page.locator(".histogram button[aria-pressed=true]")).to_have_count(12)
    expect(page.get_by_role("button", name="since 2020-01-01")).to_be_visible()
    drag(page, 0, 11)
    expect(page).to_have_url(f"{address}/")
    expect_pictures(page, 60)


def test_a_range_is_chosen_with_the_keyboard(address: str, open_page: Open) -> None:
    page = open_page(address)
    expect_pictures(page, 60)
    page.get_by_role("button", name="2020-01: 3 pictures").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("after=2020-01-01&before=2020-03-31"))
    page.locator(".histogram button").first.focus()
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{address}/")


def test_into_a_folder_and_back(address: str, open_page: Open) -> None:
    page = open_page(address)
    page.get_by_role("button", name="town, 18 pictures").click()
    expect_pictures(page, 18)
    page.get_by_role("button", name="old [x](y), 18 pictures").click()
    expect(page).to_have_url(re.compile("folder=photos%2Ftown%2Fold"))
    expect(page.locator(".folders .trail")).to_have_text("All folderstownold [x](y)")
    expect(page.get_by_role("button", name="in photos/town/old [x](y)")).to_be_visible()
    page.locator(".folders .trail").get_by_text("All folders").click()
    expect(page).to_have_url(f"{address}/")
    page.go_back()
    expect(page).to_have_url(re.compile("folder=photos%2Ftown%2Fold"))
    expect_pictures(page, 18)


def test_cameras_are_chosen_and_taken_off(address: str, open_page: Open) -> None:
    page = open_page(address)
    page.get_by_role("button", name="Acme *Two* (12)").click()
    expect_pictures(page, 12)
    page.get_by_role("button", name="Acme One (12)").click()
    expect_pictures(page, 24)
    field = page.get_by_label("Search", exact=True)
    field.fill("a red wall")
    field.press("Enter")
    expect(page).to_have_url(re.compile(r"camera=Acme.*camera=Acme.*q=a\+red\+wall"))
    expect(page.locator(".about-picture b").first).to_have_text(re.compile(r"0\.\d\d"))
    page.locator(".st-key-filter-chips").get_by_role("button", name="Acme One").click()
    expect(page).not_to_have_url(re.compile("camera=Acme.One"))
    one = page.get_by_role("button", name="Clear filters (1)")
    expect(one).to_be_visible()
    one.click()
    expect(page).to_have_url(re.compile(r"/\?q=a\+red\+wall$"))


def test_a_wrong_condition_is_told_in_plain_words(address: str, open_page: Open) -> None:
    page = open_page(address)
    page.get_by_text("For experts").click()
    field = page.get_by_label("SQL condition")
    field.fill("widht > 5")
    field.press("Control+Enter")
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_role("alert")).to_contain_text("There is no column 'widht' (did you mean width?)")
    field.fill("width > 9999")
    field.press("Control+Enter")
    expect(page.get_by_text("No picture passes the filters")).to_be_visible()
    expect(sidebar.get_by_role("alert")).to_have_count(0)
    page.locator(".st-key-clear-filters-nothing button").click()
    expect_pictures(page, 60)


def test_on_a_phone_the_filters_that_are_on_are_seen_and_taken_off(address: str, open_page: Open) -> None:
    page = open_page(f"{address}/?folder=photos/sea&min=512", width=390)
    expect_pictures(page, 3)
    chip = page.get_by_role("button", name="at least 512 px")
    expect(chip).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    chip.click()
    expect_pictures(page, 18)
