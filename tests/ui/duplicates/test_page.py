"""The duplicates page, without a browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from clipsearch_ui.duplicates import look as looking
from clipsearch_ui.engine import Engine, open_engine

from ..conftest import Build
from .conftest import GALLERY, SCENES, ended

Visit = Callable[..., AppTest]


def _page(index: str) -> None:
    from pathlib import Path

    from clipsearch_ui.duplicates.page import show
    from clipsearch_ui.engine import open_engine
    from clipsearch_ui.serving import Serving

    show(Serving(Path(index)), open_engine(Path(index)))


@pytest.fixture
def visit(album: Path) -> Visit:
    """Opens the page at an address, once it has looked at everything."""

    def open_page(index: Path = album, **address: str) -> AppTest:
        page = AppTest.from_function(_page, kwargs={"index": str(index)}, default_timeout=60)
        for name, value in address.items():
            page.query_params[name] = value
        return settled(page.run())

    return open_page


def settled(page: AppTest) -> AppTest:
    assert not page.exception
    if "duplicates-look" in page.session_state:
        ended(page.session_state["duplicates-look"])
        page.run()
    assert not page.exception
    return page


def data(page: AppTest) -> dict[str, Any]:
    """What the script draws."""
    [element] = page.get("bidi_component")
    return json.loads(element.proto.json)


def kept(page: AppTest) -> list[str]:
    return [group["copies"][0]["name"] for group in data(page)["groups"]]


def test_the_page_shows_equal_files_first_and_near_ones_when_asked(visit: Visit, engine: Engine) -> None:
    page = visit()
    assert "Nothing is deleted" in page.caption[0].value
    assert not page.slider
    assert kept(page) == [Path(group.keep.path).name for group in engine.index.duplicates()]
    spare = sum(len(group.also) for group in engine.index.duplicates())
    assert f"{spare} pictures" in page.markdown[0].value
    page.segmented_control[0].set_value("near").run()
    settled(page)
    assert page.query_params == {"level": "near"}
    assert page.slider[0].value == 0.93
    assert kept(page) == [Path(group.keep.path).name for group in engine.index.duplicates("near")]
    page.slider[0].set_value(0.99).run()
    settled(page)
    assert page.query_params == {"level": "near", "threshold": "0.99"}
    assert kept(page) == [Path(group.keep.path).name for group in engine.index.duplicates("near", threshold=0.99)]
    page.text_input[0].input("copies").run()
    settled(page)
    assert page.query_params == {"level": "near", "threshold": "0.99", "folder": "copies"}
    assert all("copies" in card["folder"] for group in data(page)["groups"] for card in group["copies"])


def test_twenty_groups_a_page(tmp_path: Path, build: Build, visit: Visit) -> None:
    for number, scene in enumerate(sorted(GALLERY.glob("[b-z]*/*.jp*g"))[:23]):
        for name in ("a", "b"):
            (tmp_path / "photos").mkdir(exist_ok=True)
            shutil.copy(scene, tmp_path / "photos" / f"{number}-{name}.jpg")
    build(tmp_path / "photos", tmp_path / "i")
    page = visit(tmp_path / "i")
    assert [group["number"] for group in data(page)["groups"]] == list(range(1, 21))
    page = visit(tmp_path / "i", page="2")
    assert [group["number"] for group in data(page)["groups"]] == [21, 22, 23]
    assert data(page)["page"] == 2
    for beyond in ("3", "0", "x", "9" * 30):
        assert data(visit(tmp_path / "i", page=beyond))["page"] in (1, 2)


def test_while_it_looks_it_says_so_and_can_be_stopped(visit: Visit, album: Path) -> None:
    page = AppTest.from_function(_page, kwargs={"index": str(album)}, default_timeout=60)
    with looking._TURN:
        page.run()
        assert not page.exception
        assert not page.get("bidi_component")
        page.button(key="stop").click().run()
        settled(page)
    assert "Stopped" in page.info[0].value
    page.button(key="again").click().run()
    settled(page)
    assert not page.info
    assert "3.jpg" in kept(page)


def test_a_list_stays_until_another_is_asked_for(tmp_path: Path, build: Build, visit: Visit) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("a", "b"):
        shutil.copy(SCENES[0], tmp_path / "photos" / f"{name}.jpg")
    build(tmp_path / "photos", tmp_path / "i")
    page = visit(tmp_path / "i")
    shutil.copy(SCENES[0], tmp_path / "photos" / "c.jpg")
    build(tmp_path / "photos", tmp_path / "i")
    open_engine(tmp_path / "i").refresh()
    page.run()
    assert len(data(page)["groups"][0]["copies"]) == 2
    assert "has changed" in page.info[0].value
    page.button(key="again").click().run()
    settled(page)
    assert len(data(page)["groups"][0]["copies"]) == 3
    assert not page.info
    assert len(data(visit(tmp_path / "i"))["groups"][0]["copies"]) == 3


def test_what_makes_no_sense_or_finds_nothing_is_said_kindly(visit: Visit) -> None:
    for address in ({"level": "similar"}, {"level": "near", "threshold": "7"}, {"level": "near", "threshold": "nan"}):
        page = visit(**address)
        assert "address" in page.error[0].value
        assert page.segmented_control
    assert "outside what this index holds" in visit(folder="/nowhere").error[0].value
    assert "no two pictures" in visit(folder="no such").info[0].value
    assert "similarity" in visit(level="near", folder="no such").info[0].value


def test_an_index_without_pictures_has_no_duplicates(tmp_path: Path, build: Build, visit: Visit) -> None:
    (tmp_path / "photos").mkdir()
    build(tmp_path / "photos", tmp_path / "i")
    for level in ("bytes", "near"):
        page = visit(tmp_path / "i", level=level)
        assert not page.error
        assert page.info
