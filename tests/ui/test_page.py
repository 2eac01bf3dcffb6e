"""The page's logic, without a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import clipsearch
from clipsearch.types import Encoder

from .conftest import CAPTION, Build, draw

ABSENT = "a cat"
Visit = Callable[..., AppTest]
Found = Callable[..., list[int]]


def shown(page: AppTest) -> list[int]:
    """The ids of the pictures in the grid, in their order."""
    assert not page.exception
    return [int(button.key.removeprefix("more-")) for button in page.button if (button.key or "").startswith("more-")]


def html(page: AppTest) -> str:
    return "\n".join(str(element.value) for element in page.html)


@pytest.fixture(scope="session")
def found(photos: Path, mini: Encoder) -> Callable[..., list[int]]:
    """What the library finds, by id."""

    def search(k: int = 60, text: str | None = None, everything: bool = False, **asked: object) -> list[int]:
        with clipsearch.open(photos, encoder=mini) as index:
            # One more, as the page asks: which of equal pictures come first depends on how many are wanted.
            hits = index.search(text, **asked, k=k + 1)
            return [hit.id for hit in (hits.relevant if text and not everything else hits)][:k]

    return search


def test_an_empty_query_shows_the_newest_pictures(photos: Path, visit: Visit) -> None:
    page = visit(photos)
    with clipsearch.open(photos) as index:
        assert index.get(shown(page)[0])["path"] == "newest.jpg"
        newest = [index.get(i)["mtime"] for i in shown(page)]
    assert len(newest) == 60
    assert newest == sorted(newest, reverse=True)
    assert "<b>" not in html(page)  # no scores where nothing is asked


def test_the_sidebar_says_what_the_index_is(photos: Path, visit: Visit) -> None:
    sidebar = visit(photos).sidebar
    assert sidebar.code[0].value == str(photos)
    assert sidebar.caption[0].value.startswith("70 pictures · model mini · version ")


def test_a_text_finds_what_the_library_finds_and_goes_into_the_address(
    photos: Path, visit: Visit, found: Found
) -> None:
    page = visit(photos)
    page.text_input[0].input("  a green meadow ").run()
    assert shown(page) == found(text="a green meadow")
    assert page.query_params["q"] == "a green meadow"
    assert 0 < html(page).count("<b>0.") == len(shown(page)) < 60
    page.text_input[0].input("").run()
    assert page.query_params == {}
    assert shown(page) == shown(visit(photos))


def test_more_like_this_replaces_the_query(photos: Path, visit: Visit, found: Found) -> None:
    page = visit(photos, q="a green meadow", all="1")
    chosen = shown(page)[3]
    page.button(key=f"more-{chosen}").click().run()
    assert page.query_params == {"like": str(chosen)}
    assert page.text_input[0].value == ""
    assert shown(page) == found(like=chosen)
    assert chosen not in shown(page)
    page.text_input[0].input("a blue wall").run()
    assert shown(page) == found(text="a blue wall", like=chosen)
    page.button(key="remove").click().run()
    assert page.query_params == {"q": "a blue wall"}
    assert shown(page) == found(text="a blue wall")


def test_a_bookmark_brings_the_query_back(photos: Path, visit: Visit, found: Found) -> None:
    page = visit(photos, q="snow", like="7", all="1")
    assert page.text_input[0].value == "snow"
    assert shown(page) == found(text="snow", like=7, everything=True)


def test_an_uploaded_picture_is_searched_for(photos: Path, visit: Visit, found: Found, tmp_path: Path) -> None:
    picture = draw(tmp_path / "query.png", "blue")
    page = visit(photos, like="7")
    page.file_uploader[0].upload("query.png", picture, "image/png").run()
    assert shown(page) == found(image=picture)
    assert page.query_params == {}
    page.text_input[0].input("a sky").run()
    assert shown(page) == found(image=picture, text="a sky")
    page.button(key="remove").click().run()
    assert shown(page) == found(text="a sky")


def test_an_upload_that_is_no_picture_is_refused_kindly(photos: Path, visit: Visit) -> None:
    page = visit(photos)
    page.file_uploader[0].upload("query.jpg", b"no picture", "image/jpeg").run()
    assert shown(page) == []
    assert "not a picture" in page.error[0].value


def test_an_address_that_makes_no_sense_is_refused_kindly(photos: Path, visit: Visit) -> None:
    for like in ("abc", "-1", "9" * 30, "²", "123456", "![x](http://example.org/x.png)"):
        page = visit(photos, like=like)
        assert shown(page) == []
        [error] = page.error
        assert "picture" in error.value
        assert "example" not in error.value
    page.button(key="start-over").click().run()
    assert page.query_params == {}
    assert len(shown(page)) == 60


def test_a_missing_index_is_said(tmp_path: Path, visit: Visit) -> None:
    page = visit(tmp_path / "nothing.index")
    assert not page.exception
    assert "nothing" in page.error[0].value


def test_show_more_shows_the_rest_and_a_new_query_starts_over(photos: Path, visit: Visit, found: Found) -> None:
    page = visit(photos, q="snow", all="1")
    first = shown(page)
    page.button(key="show-more").click().run()
    assert shown(page)[:60] == first
    assert shown(page) == found(k=70, text="snow", everything=True)
    assert not [button for button in page.button if button.key == "show-more"]
    page.text_input[0].input("").run()
    assert len(shown(page)) == 60


def test_what_is_not_there_is_said_kindly_and_shown_when_asked_for(photos: Path, visit: Visit, found: Found) -> None:
    page = visit(photos, q=ABSENT)
    assert shown(page) == [] == found(text=ABSENT)
    assert "Nothing here" in page.subheader[0].value
    page.button(key="show-all").click().run()
    assert page.query_params == {"q": ABSENT, "all": "1"}
    assert shown(page) == found(text=ABSENT, everything=True)
    page.text_input[0].input("a green meadow").run()
    assert page.query_params == {"q": "a green meadow"}


def test_a_newly_published_version_is_picked_up(tmp_path: Path, build: Build, visit: Visit) -> None:
    folder, index = tmp_path / "photos", tmp_path / "photos.index"
    draw(folder / "old.png", "red", mtime=1)
    build(folder, index)
    page = visit(index)
    [old] = shown(page)
    draw(folder / "new.png", "blue", mtime=2)
    build(folder, index)
    assert shown(page.run())[1:] == [old]
    assert "2 pictures" in page.sidebar.caption[0].value


def test_names_and_captions_are_text_not_markup(photos: Path, visit: Visit) -> None:
    page = visit(photos, q="teal", all="1")
    page.button(key="show-more").click().run()
    assert "A &lt;b&gt;teal&lt;/b&gt; square &amp; nothing *else*" in html(page)
    assert CAPTION not in html(page)


def test_an_empty_index_says_so(tmp_path: Path, build: Build, visit: Visit) -> None:
    (tmp_path / "photos").mkdir()
    build(tmp_path / "photos", tmp_path / "photos.index")
    page = visit(tmp_path / "photos.index")
    assert not page.error
    assert "no picture to show" in page.info[0].value
