"""One picture over the page, in a real browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import COLOURS, Build, draw, served

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow

Open = Callable[..., "Page"]
COUNT = 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine pictures in nine shapes, the newest called `0 red.png`."""
    folder = tmp_path_factory.mktemp("album") / ("a long name of a folder " * 4)
    for number, colour in enumerate(COLOURS):
        draw(folder / f"{number} {colour}.png", colour, (80 + 240 * number, 640), mtime=2_000_000 - number)
    return folder


@pytest.fixture(scope="module")
def index(folder: Path, build: Build) -> Path:
    index = folder.parent.with_name("album.index")
    build(folder, index)
    return index


@pytest.fixture(scope="module")
def address(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(index, tmp_path_factory.mktemp("server") / "log") as place:
        yield place


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def large(page: Page) -> Locator:
    return dialog(page).locator(".large img")


def open_first(page: Page) -> None:
    page.locator(".grid .open").first.click()
    expect(large(page)).to_have_attribute("alt", "0 red.png")


def watch(page: Page) -> None:
    """From now on the dialog may not go away, nor come back as another."""
    page.evaluate("""() => {
        window.gone = 0;
        new MutationObserver(() => { if (!document.querySelector('[role=dialog]')) window.gone += 1; })
            .observe(document.body, {childList: true, subtree: true});
        document.querySelector('[role=dialog]').dataset.same = 'yes';
    }""")


def settled(page: Page) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def test_a_picture_opens_and_closes_again_and_again(open_page: Open, address: str) -> None:
    page = open_page(address)
    expect(page.locator(".grid img")).to_have_count(COUNT)
    for way in ("click", "Enter", "click"):
        first = page.locator(".grid .open").first
        if way == "click":
            first.click()
        else:
            first.focus()
            page.keyboard.press("Enter")
        expect(large(page)).to_have_attribute("alt", "0 red.png")
        expect(large(page)).to_have_js_property("complete", True)
        assert large(page).evaluate("one => one.naturalWidth") == 80
        expect(page).to_have_url(re.compile(r"/\?picture=\d+$"))
        page.keyboard.press("Escape")
        expect(dialog(page)).to_have_count(0)
        expect(page).to_have_url(f"{address}/")
        settled(page)
        expect(dialog(page)).to_have_count(0)
    open_first(page)
    dialog(page).get_by_role("button", name="Close").click()
    expect(page).to_have_url(f"{address}/")
    expect(dialog(page)).to_have_count(0)


def test_going_back_closes_it_and_a_bookmark_opens_it(open_page: Open, address: str) -> None:
    page = open_page(address)
    open_first(page)
    for number in (1, 2, 3):
        page.keyboard.press("ArrowRight")
        expect(large(page)).to_have_attribute("alt", f"{number} {COLOURS[number]}.png")
    settled(page)
    bookmark = page.url
    page.go_back()
    expect(dialog(page)).to_have_count(0)
    expect(page).to_have_url(f"{address}/")
    page.go_forward()
    expect(large(page)).to_have_attribute("alt", "3 yellow.png")

    other = open_page(bookmark)
    expect(large(other)).to_have_attribute("alt", "3 yellow.png")
    other.keyboard.press("Escape")
    expect(other.locator(".grid img")).to_have_count(COUNT)
    expect(other).to_have_url(f"{address}/")


def test_arrows_swap_the_picture_in_place(open_page: Open, address: str) -> None:
    page = open_page(address)
    open_first(page)
    expect(page.get_by_role("button", name="Previous picture")).to_be_disabled()
    watch(page)
    for _ in range(COUNT + 3):  # faster than the server draws, and beyond the last
        page.keyboard.press("ArrowRight")
    expect(large(page)).to_have_attribute("alt", f"8 {COLOURS[8]}.png")
    expect(page.get_by_role("button", name="Next picture")).to_be_disabled()
    page.get_by_role("button", name="Previous picture").click()
    expect(large(page)).to_have_attribute("alt", f"7 {COLOURS[7]}.png")
    expect(dialog(page).locator(".facts")).to_contain_text(f"7 {COLOURS[7]}.png")
    settled(page)
    expect(dialog(page)).to_have_attribute("data-same", "yes")
    assert page.evaluate("window.gone") == 0


def test_a_neighbour_opens_in_its_place(open_page: Open, address: str) -> None:
    page = open_page(address)
    open_first(page)
    nearest = dialog(page).locator(".strip button")
    expect(nearest).to_have_count(COUNT - 1)
    name = nearest.first.locator("img").get_attribute("alt")
    nearest.first.click()
    expect(large(page)).to_have_attribute("alt", name)
    page.go_back()
    expect(large(page)).to_have_attribute("alt", "0 red.png")
    page.get_by_role("button", name="More like this").last.click()
    expect(page).to_have_url(re.compile(r"/\?like=\d+"))
    expect(dialog(page)).to_have_count(0)


def test_the_path_is_copied_and_the_original_fetched_whole(
    open_page: Open, address: str, folder: Path, tmp_path: Path
) -> None:
    page = open_page(address, permissions=["clipboard-read", "clipboard-write"])
    open_first(page)
    dialog(page).get_by_role("button", name="Copy path").click()
    expect(dialog(page).get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == str(folder / "0 red.png")
    # Where the browser keeps its clipboard from pages, as on plain HTTP, the old way is taken.
    page.evaluate("navigator.clipboard.writeText('')")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('kept')); }")
    dialog(page).get_by_role("button", name="Copy path").click()
    page.wait_for_function("async path => await navigator.clipboard.readText() === path", arg=str(folder / "0 red.png"))
    with page.expect_download() as fetched:
        dialog(page).get_by_role("link", name="Download").click()
    assert fetched.value.suggested_filename == "0 red.png"
    fetched.value.save_as(tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == (folder / "0 red.png").read_bytes()


def test_a_phone_needs_no_scrolling_sideways(open_page: Open, address: str) -> None:
    page = open_page(address, width=390, height=844, has_touch=True)
    open_first(page)
    for number in (0, COUNT - 1):  # the narrowest and the widest
        for _ in range(number):
            page.keyboard.press("ArrowRight")
        expect(large(page)).to_have_attribute("alt", f"{number} {COLOURS[number]}.png")
        expect(dialog(page).locator(".facts")).to_contain_text(f"{number} {COLOURS[number]}.png")
        box = large(page).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] <= 844
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert dialog(page).evaluate("one => one.scrollWidth <= one.clientWidth")


def test_a_version_published_meanwhile_waits_until_it_closes(
    open_page: Open, folder: Path, build: Build, tmp_path: Path
) -> None:
    own_folder, own_index = tmp_path / "album", tmp_path / "album.index"
    shutil.copytree(folder, own_folder)
    build(own_folder, own_index)
    with served(own_index, tmp_path / "log") as place:
        page = open_page(place)
        open_first(page)
        watch(page)
        draw(own_folder / "new.png", "teal", mtime=3_000_000)
        build(own_folder, own_index)
        page.wait_for_timeout(5_000)  # the page has looked for a new version meanwhile
        assert page.evaluate("window.gone") == 0
        expect(dialog(page)).to_have_attribute("data-same", "yes")
        page.keyboard.press("ArrowRight")
        expect(large(page)).to_have_attribute("alt", "1 green.png")
        expect(dialog(page)).to_have_attribute("data-same", "yes")
        page.keyboard.press("Escape")
        expect(dialog(page)).to_have_count(0)
        expect(page).to_have_url(f"{place}/")
        expect(page.locator(".grid img").first).to_have_attribute("alt", "new.png")
