"""The page's logic, without a browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import clipsearch
from clipsearch.query.terms import Query, Term, image, stored, text
from clipsearch.types import Encoder
from clipsearch_ui.text import plain

from .conftest import CAPTION, Build, draw

ABSENT = "two dogs"
Visit = Callable[..., AppTest]
Found = Callable[..., list[int]]


def grid(page: AppTest) -> list[dict[str, Any]]:
    """The tiles of the grid, in their order."""
    assert not page.exception
    for element in page.get("bidi_component"):
        if element.key == "grid":
            return json.loads(element.proto.json)["tiles"]
    return []


def shown(page: AppTest) -> list[int]:
    """The ids of the pictures in the grid, in their order."""
    return [tile["id"] for tile in grid(page)]


def params(page: AppTest) -> dict[str, list[str]]:
    """What the address asks."""
    return {name: [value] if isinstance(value, str) else value for name, value in page.query_params.items()}


def html(page: AppTest) -> str:
    return "\n".join(str(element.value) for element in page.html)


def chips(page: AppTest) -> list[str]:
    """What can be taken out of the query."""
    return [button.label.removeprefix("Take out ") for button in page.button if "remove-" in (button.key or "")]


@pytest.fixture(scope="session")
def found(photos: Path, mini: Encoder) -> Found:
    """What the library finds, by id; `like` are stored pictures with their weights, themselves left out."""

    def search(
        *asked: Term | str,
        k: int = 60,
        everything: bool = False,
        like: dict[int, float] | None = None,
        unless: Sequence[str] = (),
    ) -> list[int]:
        like = like or {}
        query = Query(*asked, *(stored(i, weight) for i, weight in like.items()), unless=unless)
        with clipsearch.open(photos, encoder=mini) as index:
            # One more, as the page asks: which of equal pictures come first depends on how many are wanted.
            hits = index.search(query, k=k + 1 + len(like))
            kept = [hit.id for hit in (hits.relevant if query.has_text and not everything else hits)]
            return [i for i in kept if i not in like][:k]

    return search


def test_an_empty_query_shows_the_newest_pictures(photos: Path, visit: Visit) -> None:
    page = visit(photos)
    with clipsearch.open(photos) as index:
        assert index.get(shown(page)[0])["path"] == "newest.jpg"
        newest = [index.get(i)["mtime"] for i in shown(page)]
    assert len(newest) == 60
    assert newest == sorted(newest, reverse=True)
    assert {tile["score"] for tile in grid(page)} == {None}


def test_the_sidebar_says_what_the_index_is(photos: Path, visit: Visit) -> None:
    sidebar = visit(photos).sidebar
    assert sidebar.caption[-2].value == plain(str(photos))
    assert sidebar.caption[-1].value.startswith("70 pictures · model mini · version ")


def test_a_text_finds_what_the_library_finds_and_goes_into_the_address(
    photos: Path, visit: Visit, found: Found
) -> None:
    page = visit(photos)
    page.text_input[0].input("  a green meadow ").run()
    assert shown(page) == found("a green meadow")
    assert params(page)["q"] == ["a green meadow"]
    assert 0 < len(shown(page)) < 60
    assert all(0 < tile["score"] < 1 and 0 < tile["relevance"] <= 1 for tile in grid(page))
    page.text_input[0].input("").run()
    assert params(page) == {}
    assert shown(page) == shown(visit(photos))


def test_every_term_is_a_chip_with_a_weight(photos: Path, visit: Visit, found: Found) -> None:
    page = visit(photos, q="snow", also=["a meadow:0.5", "ratio 4:3:-0.25"], like=["7:0.5", "9:-0.5"], all="1")
    assert page.text_input[0].value == "snow"
    assert len(chips(page)) == 5
    weighted = ("snow", text("a meadow", 0.5), text("ratio 4:3", -0.25))
    assert shown(page) == found(*weighted, like={7: 0.5, 9: -0.5}, everything=True)
    assert not {7, 9} & set(shown(page))
    page.slider(key="weight-1").set_value(1.5).run()
    assert params(page)["also"] == ["a meadow:1.5", "ratio 4:3:-0.25"]
    page.button(key="remove-3").click().run()
    page.button(key="remove-2").click().run()
    assert params(page)["like"] == ["9:-0.5"]
    assert shown(page) == found("snow", text("a meadow", 1.5), like={9: -0.5})
    page.button(key="clear").click().run()
    assert params(page) == {}


def test_the_weight_of_the_text_itself(photos: Path, visit: Visit, found: Found) -> None:
    page = visit(photos, q="snow", like="7", all="1")
    page.slider(key="weight-0").set_value(0.3).run()
    assert params(page)["qw"] == ["0.3"]
    assert shown(page) == found(text("snow", 0.3), like={7: 1.0}, everything=True)
    page.button(key="remove-0").click().run()
    assert params(page) == {"like": ["7:1"]}  # what was shown all the same is asked for no longer


def test_words_are_added_pushed_away_and_ruled_out(photos: Path, visit: Visit, found: Found) -> None:
    page = visit(photos, q="a red wall")
    for kind in ("and", "less", "never"):
        page.get("button_group")[0].set_value(kind).run()
        page.text_input(key="more-text").input("a green meadow").run()
        assert page.text_input(key="more-text").value == ""
        assert params(page)["not" if kind == "never" else "also"][-1].startswith("a green meadow")
    assert params(page)["also"] == ["a green meadow:-0.5"]
    assert shown(page) == found("a red wall", text("a green meadow", -0.5), unless=["a green meadow"])


def test_a_text_joins_what_is_asked(photos: Path, visit: Visit, found: Found) -> None:
    page = visit(photos, like="7")
    assert shown(page) == found(like={7: 1.0})
    page.text_input[0].input("a blue wall").run()
    assert shown(page) == found("a blue wall", like={7: 1.0})


def test_an_uploaded_picture_is_searched_for_and_lives_in_the_address(
    photos: Path, visit: Visit, found: Found, tmp_path: Path
) -> None:
    picture = draw(tmp_path / "query.png", "blue")
    page = visit(photos)
    page.file_uploader[0].upload("query.png", picture, "image/png").run()
    assert shown(page) == found(image(picture))
    assert chips(page) == ["Your picture"]
    [known_as] = [value.removesuffix(":1") for value in params(page)["image"]]
    page.text_input[0].input("a sky").run()
    assert shown(page) == found("a sky", image(picture))
    assert shown(visit(photos, q="a sky", image=known_as)) == shown(page)  # a bookmark
    page.button(key="remove-1").click().run()
    assert shown(page) == found("a sky")


def test_a_picture_that_is_not_kept_any_more_is_said(photos: Path, visit: Visit) -> None:
    page = visit(photos, image="0" * 32)
    assert "not kept any more" in page.error[0].value


def test_an_upload_that_is_no_picture_is_refused_kindly(photos: Path, visit: Visit) -> None:
    page = visit(photos)
    page.file_uploader[0].upload("query.jpg", b"no picture", "image/jpeg").run()
    assert "not a picture" in page.error[0].value
    assert len(shown(page)) == 60
    assert not page.run().error


def test_an_address_that_makes_no_sense_is_refused_kindly(photos: Path, visit: Visit) -> None:
    for like in ("abc", "-1", "9" * 30, "²", "123456", "7:x", "7:nan", "7:1e9", "![x](http://example.org/x.png)"):
        page = visit(photos, like=like)
        assert shown(page) == []
        [error] = page.error
        assert "picture" in error.value or "weight" in error.value
        assert "example" not in error.value
    page.button(key="start-over").click().run()
    assert params(page) == {}
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
    assert shown(page) == found("snow", k=70, everything=True)
    assert not [button for button in page.button if button.key == "show-more"]
    page.text_input[0].input("").run()
    assert len(shown(page)) == 60


def test_what_is_not_there_is_said_kindly_and_shown_when_asked_for(photos: Path, visit: Visit, found: Found) -> None:
    page = visit(photos, q=ABSENT)
    assert shown(page) == [] == found(ABSENT)
    assert "Nothing here" in page.subheader[0].value
    page.button(key="show-all").click().run()
    assert params(page) == {"q": [ABSENT], "all": ["1"]}
    assert shown(page) == found(ABSENT, everything=True)
    page.text_input[0].input("a green meadow").run()
    assert params(page) == {"q": ["a green meadow"]}


def test_a_newly_published_version_is_picked_up(tmp_path: Path, build: Build, visit: Visit) -> None:
    folder, index = tmp_path / "photos", tmp_path / "photos.index"
    draw(folder / "old.png", "red", mtime=1)
    build(folder, index)
    page = visit(index)
    [old] = shown(page)
    draw(folder / "new.png", "blue", mtime=2)
    build(folder, index)
    assert shown(page.run())[1:] == [old]
    assert "2 pictures" in page.sidebar.caption[-1].value


def test_names_in_chips_are_text_not_markup(photos: Path, visit: Visit) -> None:
    page = visit(photos, q="teal", all="1")
    page.button(key="show-more").click().run()
    [teal] = [tile["id"] for tile in grid(page) if tile["label"] == CAPTION]
    page = visit(photos, like=str(teal))
    assert "A &lt;b&gt;teal&lt;/b&gt; square &amp; nothing *else*" in html(page)
    assert CAPTION not in html(page)
    assert chips(page) == [plain(CAPTION)]


def test_an_empty_index_says_so(tmp_path: Path, build: Build, visit: Visit) -> None:
    (tmp_path / "photos").mkdir()
    build(tmp_path / "photos", tmp_path / "photos.index")
    page = visit(tmp_path / "photos.index")
    assert not page.error
    assert "no picture to show" in page.info[0].value
