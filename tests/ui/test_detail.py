"""One picture over the page: its logic, without a browser."""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from streamlit.testing.v1 import AppTest

import clipsearch
from clipsearch.errors import QueryError
from clipsearch_ui.detail import file_actions
from clipsearch_ui.detail import folder as desktop
from clipsearch_ui.detail.cells import clamped, in_words
from clipsearch_ui.detail.facts import labels, listed, place_on_disk
from clipsearch_ui.detail.world_map import corners, land, near_map, place_in_words, world_map
from clipsearch_ui.serving import Serving

from .conftest import Build, draw

Visit = Callable[..., AppTest]


def html(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(str(element.value) for element in page.html)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory, build: Build) -> Path:
    """An index of a photo with tags and a place, one that is gone since, and a Parquet row with columns of any type."""
    folder = tmp_path_factory.mktemp("odd")
    exif = Image.Exif()
    exif.update({0x010F: "Canon", 0x0110: "Canon EOS 5D", 0x010E: "Gulls <i>over</i> the quay"})
    exif.get_ifd(0x8769).update({0x829A: IFDRational(1, 200), 0x8827: 400})
    exif.get_ifd(0x8825).update({1: "N", 2: (59.0, 54.0, 36.0), 3: "E", 4: (10.0, 44.0, 24.0)})
    draw(folder / "quay.jpg", "teal", (120, 90), exif=exif)
    draw(folder / "gone.png", "red")
    row = {
        "image": [draw(folder.with_name("x.png"), "orange", (50, 40))],
        "caption": ["A kite " * 100],
        "rating": pa.array([4.2], pa.float32()),
        "count": [12345],
        "seen": [datetime(2020, 1, 2, 3, 4, 5)],
        "tags": [["sea", "<b>sky</b>", None]],
        "box": [{"left": 1, "size": {"w": 2, "h": 3}}],
        "mask": [b"\0" * 2048],
        "nothing": pa.array([""], pa.string()),
        "width": ["wide"],
        "labels": [[{"label": "kite", "score": 0.91}, {"label": "<u>sky</u>", "score": 0.5}]],
    }
    pq.write_table(pa.table(row), folder / "shard.parquet")
    index = folder.with_name("odd.index")
    build(folder, index)
    (folder / "gone.png").unlink()
    return index


def id_of(index: Path, path: str) -> int:
    with clipsearch.open(index) as opened:
        return int(opened.sql(f"SELECT id FROM images WHERE path = '{path}'").to_pylist()[0]["id"])


def test_the_facts_of_a_photo(odd: Path, visit: Visit) -> None:
    page = visit(odd, picture=str(id_of(odd, "quay.jpg")))
    shown = html(page)
    assert "Gulls &lt;i&gt;over&lt;/i&gt; the quay" in shown
    assert "<i>" not in shown
    for fact in ("quay.jpg", "120 x 90 pixels", "JPEG", "Canon EOS 5D", "59.91000° N, 10.74000° E"):
        assert f"{fact}" in shown
    assert "<dt>Exposure time</dt><dd>1/200 s</dd>" in shown
    assert "<dt>ISO</dt><dd>400</dd>" in shown
    assert [expander.label for expander in page.expander if expander.label.startswith("EXIF")] != []
    page.button(key="detail-near").click().run()
    assert page.query_params["near"] == "59.91000,10.74000,10"
    assert "picture" not in page.query_params


def test_every_further_column_of_a_parquet_source(odd: Path, visit: Visit) -> None:
    shown = html(visit(odd, picture=str(id_of(odd, "shard.parquet#0/0"))))
    for name, value in {
        "rating": "4.2",
        "count": "12345",
        "seen": "2020-01-02 03:04:05",
        "tags": "sea, &lt;b&gt;sky&lt;/b&gt;",
        "box": "left: 1; size: (w: 2; h: 3)",
        "mask": "2.0 kB",
        "source_width": "wide",
    }.items():
        assert f"<dt>{name}</dt><dd>{value}</dd>" in shown
    assert "nothing" not in shown
    assert "<dt>labels</dt>" not in shown
    assert "<li>kite 0.91</li><li>&lt;u&gt;sky&lt;/u&gt; 0.50</li>" in shown
    assert '<details class="long"><summary><span class="start">A kite' in shown
    assert "EXIF" not in "".join(expander.label for expander in visit(odd).expander)


def test_a_picture_that_is_gone_still_has_its_facts(odd: Path, visit: Visit) -> None:
    page = visit(odd, picture=str(id_of(odd, "gone.png")))
    assert "gone.png" in html(page)
    assert not page.error
    assert not [expander for expander in page.expander if expander.label.startswith("EXIF")]


@pytest.mark.parametrize("named", ["123456", "abc", "-1", "²", "9" * 30, "![x](http://example.org/x.png)"])
def test_a_picture_that_is_not_there_is_said_with_a_way_back(odd: Path, visit: Visit, named: str) -> None:
    page = visit(odd, picture=named)
    assert not page.exception
    [error] = page.error
    assert "picture" in error.value
    assert "example" not in error.value
    page.button(key="detail-back").click().run()
    assert "picture" not in page.query_params
    assert not page.error


def test_what_can_be_asked_with_it(odd: Path, visit: Visit) -> None:
    picture = str(id_of(odd, "quay.jpg"))
    page = visit(odd, picture=picture)
    assert not [button for button in page.button if button.key in ("detail-add", "detail-less")]
    page.button(key="detail-more").click().run()
    assert page.query_params == {"like": f"{picture}:1"}

    page = visit(odd, q="a kite", picture=picture)
    page.button(key="detail-add").click().run()
    assert page.query_params == {"q": "a kite", "like": f"{picture}:1"}

    page = visit(odd, q="a kite", picture=picture)
    page.button(key="detail-less").click().run()
    assert page.query_params == {"q": "a kite", "like": f"{picture}:-0.5"}


def test_where_a_picture_is(odd: Path) -> None:
    with clipsearch.open(odd) as index:
        places = {
            row["path"]: place_on_disk(row, index.file(row["id"]))
            for row in index.sql("SELECT * FROM images").to_pylist()
        }
        folder = index.info().roots[0].path
        with pytest.raises(QueryError, match="no picture with id 77"):
            index.file(77)
    assert places == {
        "quay.jpg": str(folder / "quay.jpg"),
        "gone.png": str(folder / "gone.png"),
        "shard.parquet#0/0": f"{folder / 'shard.parquet'}#0/0",
    }


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        (True, "yes"),
        (0, "0"),
        (2017, "2017"),
        (22.200000762939453, "22.2"),
        (0.1, "0.1"),
        (0.1234567890123, "0.1234567890123"),
        (1e300, "1e+300"),
        (math.nan, ""),
        (Decimal("12.50"), "12.50"),
        (date(2020, 1, 2), "2020-01-02"),
        (timedelta(seconds=90), "0:01:30"),
        (b"", "0 B"),
        ([], ""),
        (["a", None, [], "b"], "a, b"),
        ([[1, 2], [3]], "(1, 2), (3)"),
        ([("key", "value")], "(key, value)"),
        ({"a": None, "b": ""}, ""),
        ("  two\nlines ", "two\nlines"),
    ],
)
def test_values_in_words(value: object, words: str) -> None:
    assert in_words(value) == words


def test_long_texts_open_at_a_click_and_lose_nothing() -> None:
    text = " ".join(f"word{number}<" for number in range(200))
    shown = clamped(text)
    assert shown.startswith('<details class="long"><summary><span class="start">word0&lt; word1&lt;')
    start, whole = shown.split("</summary>")
    assert len(start) < 500
    assert whole == text.replace("<", "&lt;") + "</details>"
    assert clamped("short & sweet") == "short &amp; sweet"
    assert listed([("<a>", "<b>")]) == '<dl class="facts"><dt>&lt;a&gt;</dt><dd>&lt;b&gt;</dd></dl>'


def test_labels_of_every_kind() -> None:
    assert labels({"labels": ["dog", " ", None, "cat"]}) == ["dog", "cat"]
    assert labels({"labels": [{"label": "dog", "score": 0.876}, {"label": None, "score": 1.0}]}) == ["dog 0.88"]
    assert labels({"labels": [{"label": "dog"}]}) == ["dog"]
    row = {"animal": "cat", "animal_probability": 0.61, "aesthetic": 5.5, "later": None, "later_probability": None}
    assert labels(row, ["animal", "aesthetic", "later"]) == ["cat 0.61"]
    assert labels({"labels": "dog"}) == labels({"labels": None}) == labels({}) == []


def on_land(latitude: float, longitude: float) -> bool:
    """By the number of outlines crossed on the way north."""
    crossed = 0
    for ring in land():
        points = list(corners(ring))
        for turn in (-360, 0, 360):
            x = longitude + turn
            for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True):
                if (x1 > x) != (x2 > x) and latitude < y1 + (x - x1) / (x2 - x1) * (y2 - y1):
                    crossed += 1
    return crossed % 2 == 1


@pytest.mark.parametrize(
    ("place", "is_land"),
    [
        ((51.477, -0.001), True),  # Greenwich
        ((40.0, -40.0), False),  # the Atlantic
        ((-25.0, 134.0), True),  # Australia
        ((66.0, -175.0), True),  # Chukotka, beyond the date line
        ((68.0, 179.5), True),
        ((41.9, 50.5), False),  # the Caspian Sea
        ((-88.0, 30.0), True),  # Antarctica
        ((-17.8, 178.0), True),  # Fiji
        ((88.0, 0.0), False),
        ((0.0, -160.0), False),
        ((71.0, -42.0), True),  # Greenland
    ],
)
def test_the_outline_of_the_world(place: tuple[float, float], is_land: bool) -> None:
    assert on_land(*place) == is_land


def test_the_maps() -> None:
    world = world_map(59.91, 10.74)
    assert 'viewBox="-180.000 -84.000 360 168"' in world
    assert '<circle class="pin" cx="10.7400" cy="-59.9100"' in world
    assert len(world) < 60_000
    near = near_map(60.0, 10.0)
    assert 'viewBox="-15.000 -72.000 40 24"' in near  # a degree of longitude is half a degree wide at 60 north
    assert 'cx="5.0000" cy="-60.0000"' in near
    assert near.count("M") < world.count("M")
    assert 'viewBox="-20.000 66.000 40 24"' in near_map(-90.0, 0.0)
    # Both sides of the date line are drawn, from either.
    assert near_map(66.0, 180.0).count("M") == near_map(66.0, -180.0).count("M") > 3


def test_places_in_words() -> None:
    assert place_in_words(59.91, 10.74) == "59.91000° N, 10.74000° E"
    assert place_in_words(-33.85, -70.0) == "33.85000° S, 70.00000° W"


def test_the_program_that_shows_a_folder() -> None:
    file = Path("/photos/a & b; rm -rf/-x.jpg")
    assert desktop.command(file, "linux") == ["xdg-open", "/photos/a & b; rm -rf"]
    assert desktop.command(file, "darwin") == ["open", "-R", str(file)]
    assert desktop.command(file, "win32") == ["explorer", "/select,", str(file)]


def test_only_who_sits_at_this_machine_opens_its_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(file_actions, "open_folder", opened.append)
    file = tmp_path / "x.jpg"
    file_actions.show_folder(Serving(tmp_path, local=False), file)
    assert opened == []
    file_actions.show_folder(Serving(tmp_path, local=True), file)
    assert opened == [file]


def test_whether_there_is_a_desktop(tmp_path: Path) -> None:
    program = tmp_path / "xdg-open"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    place = str(tmp_path)
    assert desktop.has_desktop("linux", {"DISPLAY": ":0", "PATH": place})
    assert desktop.has_desktop("linux", {"WAYLAND_DISPLAY": "wayland-0", "PATH": place})
    assert not desktop.has_desktop("linux", {"PATH": place})
    assert not desktop.has_desktop("linux", {"DISPLAY": ":0", "PATH": str(tmp_path / "none")})
    assert desktop.has_desktop("darwin", {})
    assert desktop.has_desktop("win32", {})


@pytest.mark.skipif(os.name == "nt", reason="programs are scripts here")
def test_opening_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    folder, told = tmp_path / "a folder; touch oops", tmp_path / "told"
    folder.mkdir()
    program = tmp_path / "xdg-open"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > "{told}"\nexit "$(cat {tmp_path}/status)"\n')
    program.chmod(0o755)
    (tmp_path / "status").write_text("0")
    desktop.open_folder(folder / "x.jpg")
    assert told.read_text() == f"{folder}|"
    (tmp_path / "status").write_text("3")
    with pytest.raises(QueryError, match="did not show the folder"):
        desktop.open_folder(folder / "x.jpg")
    with pytest.raises(QueryError, match="not there any more"):
        desktop.open_folder(tmp_path / "nowhere" / "x.jpg")
    program.unlink()
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(QueryError, match="cannot be shown"):
        desktop.open_folder(folder / "x.jpg")


def test_a_program_that_runs_on_has_opened_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        assert command == desktop.command(tmp_path / "x.jpg")
        started.append(popen(["sleep", "30"], **options))
        return started[0]

    monkeypatch.setattr(desktop, "_PATIENCE", 0.1)
    monkeypatch.setattr(subprocess, "Popen", start)
    desktop.open_folder(tmp_path / "x.jpg")
    assert started[0].poll() is None
    started[0].kill()
    started[0].wait()
