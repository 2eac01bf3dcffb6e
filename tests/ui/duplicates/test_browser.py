"""The duplicates page in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import clipsearch

from ..conftest import served

expect = pytest.importorskip("playwright.sync_api").expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def address(album: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(album, tmp_path_factory.mktemp("server") / "log") as place:
        yield place


def test_groups_are_shown_opened_and_downloaded(open_page: Open, address: str, album: Path) -> None:
    page = open_page(f"{address}/duplicates")
    expect(page.locator(".duplicates section")).to_have_count(5)
    page.get_by_text("Near-duplicates", exact=True).click()
    expect(page).to_have_url(f"{address}/duplicates?level=near")
    group = page.locator(".duplicates section").filter(has=page.get_by_text("0-half.jpg", exact=True))
    expect(group.locator("li")).to_have_count(4)
    expect(group.locator("li").first).to_contain_text("Keep")
    expect(group.locator("li").first).to_contain_text("0.jpg")
    picture = group.locator("li").nth(1).locator("img")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("one => one.naturalWidth") > 0

    with page.expect_download() as download:
        page.get_by_role("button", name="List as JSON").click()
    with clipsearch.open(album) as index:
        near = list(index.duplicates("near"))
    listed = json.loads(Path(download.value.path()).read_text())["groups"]
    assert [one["keep"]["id"] for one in listed] == [one.keep.id for one in near]

    opened = group.locator("li").nth(1).locator("a")
    place = opened.get_attribute("href")
    assert str(place).startswith("/?picture=")
    page.evaluate("window.loaded = 'once'")
    opened.click()
    expect(page).to_have_url(f"{address}{place}")
    page.go_back()
    expect(group.locator("li")).to_have_count(4)
    assert page.evaluate("window.loaded") == "once"


def test_a_phone_shows_them_without_scrolling_sideways(open_page: Open, address: str) -> None:
    page = open_page(f"{address}/duplicates?level=near", 390)
    expect(page.locator(".duplicates li").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert (
        page.eval_on_selector_all(
            ".duplicates li", "all => Math.max(...all.map(one => one.getBoundingClientRect().right))"
        )
        <= 390
    )
