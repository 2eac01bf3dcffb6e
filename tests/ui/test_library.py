"""The library page, without a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import clipsearch
from clipsearch.errors import UsageError
from clipsearch.known import remember
from clipsearch_ui.engine import close_engines
from clipsearch_ui.library import failures, indexes
from clipsearch_ui.library import run as runs
from clipsearch_ui.library.add import new_place
from clipsearch_ui.library.steps import Report
from clipsearch_ui.serving import Serving, key_of
from clipsearch_ui.text import plain

from .conftest import Build, draw

Library = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _own_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(runs, "_LATEST", [])
    yield
    runs.stop()


@pytest.fixture
def album(tmp_path: Path, build: Build) -> Path:
    """An index of two pictures; two more could not be read."""
    folder = tmp_path / "my *album*"
    draw(folder / "red.png", "red")
    draw(folder / "blue.png", "blue")
    (folder / "empty.jpg").touch()
    (folder / "letter.jpg").write_bytes(b"Dear Ann")
    build(folder, folder / ".clipsearch")
    return folder / ".clipsearch"


def _library(index: str, local: bool) -> None:
    from pathlib import Path

    from clipsearch_ui.app import show
    from clipsearch_ui.serving import Serving

    show(Serving(Path(index), local=local))


@pytest.fixture
def library() -> Library:
    """Opens the library page of a server."""

    def opened(index: Path, local: bool = True) -> AppTest:
        page = AppTest.from_function(_library, kwargs={"index": str(index), "local": local}, default_timeout=60)
        return at_library(page)

    return opened


def at_library(page: AppTest) -> AppTest:
    page._page_hash = calc_hash("library")  # `switch_page` knows pages that are files only
    page.run()
    page._page_hash = ""
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    """All text in the main part of the page."""
    assert not page.exception
    return "\n".join(str(element.value) for element in (*page.markdown, *page.caption)).replace("\\", "")


def run_to_its_end(page: AppTest) -> AppTest:
    run = runs.latest()
    assert run is not None
    run.wait(120)
    page = page.run()
    assert not page.exception
    return page


def test_indexes_are_shown_with_what_they_are(album: Path, photos: Path, tmp_path: Path, library: Library) -> None:
    remember(photos)
    remember(tmp_path / "gone.index")
    page = library(album)
    shown = words(page)
    assert "**my *album***\n" in shown
    assert str(album) in shown
    with clipsearch.open(album) as index:
        info = index.info()
    assert f"2 pictures · 2 could not be read · model mini, {info.dim} numbers a picture · " in shown
    assert f"version {info.version} of {info.published_at[:10]}" in shown
    assert f"{album.parent} · 2 pictures" in shown
    assert "**photos.index**" in shown
    assert "70 pictures · model mini" in shown
    assert "gone.index" not in shown
    assert "offline" not in shown


def test_a_root_that_went_away_since_is_offline(album: Path, tmp_path: Path, build: Build, library: Library) -> None:
    draw(tmp_path / "disk" / "green.png", "green")
    build(tmp_path / "disk", tmp_path / "other.index")
    remember(tmp_path / "other.index")
    assert "offline" not in words(library(album))
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    assert f"offline {tmp_path / 'disk'} · 1 picture" in words(library(album))


def test_another_index_is_searched_from_then_on(album: Path, photos: Path, library: Library) -> None:
    remember(photos)
    page = library(album)
    assert [button.key for button in page.button if str(button.key).startswith("choose-")] == [
        f"choose-{key_of(photos)}"
    ]
    page.button(key=f"choose-{key_of(photos)}").click().run()
    assert page.query_params["index"] == key_of(photos)
    assert [field.label for field in page.text_input][:1] == ["Search"]
    assert page.sidebar.caption[-2].value == plain(str(photos))
    at_library(page)
    assert f"choose-{key_of(album)}" in [button.key for button in page.button]


@pytest.mark.parametrize("damage", ["CURRENT", "catalog"])
def test_an_index_that_cannot_be_read_says_why(
    album: Path, photos: Path, tmp_path: Path, library: Library, damage: str
) -> None:
    broken = shutil.copytree(photos, tmp_path / "broken.index")
    file = next(broken.glob(f"{damage}*"))
    file.write_text("x")
    remember(broken)
    page = library(album)
    [warning] = page.warning
    assert "clipsearch repair" in warning.value.replace("\\", "")
    assert f"choose-{key_of(broken)}" not in [button.key for button in page.button]


def test_disk_use_is_counted_once_a_version(album: Path, build: Build) -> None:
    before = indexes.info_of(album)
    (album / "more").write_bytes(bytes(1_000_000))
    assert indexes.info_of(album) is before
    draw(album.parent / "green.png", "green")
    build(album.parent, album)
    after = indexes.info_of(album)
    assert (before.pictures, after.pictures) == (2, 3)
    assert after.bytes >= before.bytes + 1_000_000


def test_many_indexes_are_shown_on_demand(album: Path, photos: Path, tmp_path: Path, library: Library) -> None:
    for number in range(7):
        remember(shutil.copytree(photos, tmp_path / f"{number}.index"))
    page = library(album)
    assert words(page).count("70 pictures · ") == 4
    page.button(key="more-indexes").click().run()
    assert words(page).count("70 pictures · ") == 7
    assert "more-indexes" not in [button.key for button in page.button]


def test_a_page_for_others_shows_its_own_index_only(album: Path, photos: Path, library: Library) -> None:
    remember(photos)
    page = library(album, local=False)
    assert "**photos.index**" not in words(page)
    assert "--host" in words(page)
    assert [box.label for box in page.selectbox] == []
    assert not [button for button in page.button if button.key == "retry"]
    assert Serving(album, local=False).find(key_of(photos)) is None
    assert Serving(album).find(key_of(photos)) == photos


def test_what_could_not_be_read_is_listed_and_filtered(album: Path, library: Library) -> None:
    page = library(album)
    rows = page.dataframe[0].value
    assert list(rows["path"]) == ["my *album*/empty.jpg", "my *album*/letter.jpg"]
    assert list(rows["reason"]) == ["empty", "not a picture"]
    assert list(rows["bytes"]) == [0, 8]
    assert rows["message"].str.endswith(".").all()
    [pills] = page.button_group
    assert pills.options == ["empty · 1", "not a picture · 1"]
    pills.set_value(["not a picture"]).run()
    assert list(page.dataframe[0].value["path"]) == ["my *album*/letter.jpg"]


def test_where_all_could_be_read_nothing_is_listed(photos: Path, library: Library) -> None:
    page = library(photos)
    assert not page.dataframe
    assert "Every picture of this index could be read." in words(page)


def test_of_many_failures_the_first_are_listed(album: Path, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "_MOST", 1)
    page = library(album)
    assert list(page.dataframe[0].value["path"]) == ["my *album*/empty.jpg"]
    assert "2 pictures, of which the first 1" in words(page)


def test_an_incomplete_form_is_refused_in_words(album: Path, tmp_path: Path, library: Library) -> None:
    page = library(album)
    start(page)
    assert "at least one folder" in page.error[0].value
    page.selectbox(key="add-index").set_value("new").run()
    page.text_area(key="add-sources").input(str(album.parent))
    start(page)
    assert "folder of the new index" in page.error[0].value
    page.text_input(key="add-place").input(str(album.parent))
    start(page)
    assert "choose it above" in page.error[0].value
    assert runs.latest() is None


def start(page: AppTest) -> AppTest:
    [button] = [button for button in page.button if button.label == "Start"]
    page = button.click().run()
    assert not page.exception
    return page


@pytest.mark.slow
def test_a_new_index_is_made_from_the_page(album: Path, tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "holidays"
    draw(folder / "sea.png", "blue")
    draw(folder / "sand.png", "yellow")
    page = library(album)
    page.selectbox(key="add-index").set_value("new").run()
    assert page.radio(key="add-model").value == "default"
    page.text_area(key="add-sources").input(f"  {folder}\n\n")
    page.text_input(key="add-place").input(str(folder))
    page.radio(key="add-model").set_value("mini")
    start(page)
    assert "Indexing into **holidays**" in words(page)
    assert not [button for button in page.button if button.label == "Start"]
    page = run_to_its_end(page)
    assert "holidays: Done: 2 embedded" in page.success[0].value.replace("\\", "")
    with clipsearch.open(folder / ".clipsearch") as index:
        assert len(index) == 2
    key = key_of(folder / ".clipsearch")
    assert page.text_area(key="add-sources").value == f"  {folder}\n\n"
    page.button(key=f"choose-{key}").click().run()
    assert page.sidebar.caption[-2].value == plain(str(folder / ".clipsearch"))


@pytest.mark.slow
def test_failures_are_tried_again(album: Path, library: Library) -> None:
    page = library(album)
    draw(album.parent / "empty.jpg", "white")
    page.button(key="retry").click().run()
    page = run_to_its_end(page)
    run = runs.latest()
    assert run is not None
    assert isinstance(run.outcome, Report)
    assert (run.outcome.embedded, run.outcome.failed) == (1, 1)
    assert list(page.dataframe[0].value["path"]) == ["my *album*/letter.jpg"]
    assert page.button(key="retry").label == "Try again"


def test_a_run_is_cancelled_from_any_session(album: Path, library: Library) -> None:
    page = library(album)
    page.text_area(key="add-sources").input(str(album.parent))
    start(page)
    other = library(album)
    assert "Indexing into" in words(other)
    assert other.button(key="retry").disabled
    other.button(key="cancel").click().run()
    assert runs.latest().cancelled
    page = run_to_its_end(page)
    assert "ancelled" in (page.info or page.success)[0].value


def test_an_error_of_a_run_is_said(album: Path, library: Library) -> None:
    page = library(album)
    page.text_area(key="add-sources").input("/no/such/![folder](x)")
    start(page)
    page = run_to_its_end(page)
    assert page.error[0].value.startswith("\\/no\\/such\\/\\!\\[folder\\]\\(x\\) is not there")
    assert page.text_area(key="add-sources").value == "/no/such/![folder](x)"


def test_a_new_index_goes_where_nothing_is_in_its_way(tmp_path: Path, album: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert new_place(str(tmp_path / "empty")) == tmp_path / "empty"
    assert new_place(f" {tmp_path / 'not yet'} ") == tmp_path / "not yet"
    (tmp_path / "empty" / "picture.jpg").touch()
    assert new_place(str(tmp_path / "empty")) == tmp_path / "empty" / ".clipsearch"
    for given in ("", "  ", str(album), str(album.parent), "~no-such-user/x"):
        with pytest.raises(UsageError):
            new_place(given)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_engines()
