"""The list of the indexes a user has made or opened."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from clipsearch.known import known, remember


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def listed(data: Path) -> Path:
    return data / "clipsearch" / "indexes.json"


@pytest.fixture
def index(tmp_path: Path):
    """Makes what looks like an index."""

    def make(name: str) -> Path:
        place = tmp_path / name
        place.mkdir()
        (place / "CURRENT").write_text("000001")
        return place

    return make


def test_the_last_used_comes_first_and_each_once(index) -> None:
    assert known() == ()
    one, two = index("one"), index("ein Ordner mit Ümläuten \udce9")
    remember(one)
    remember(two)
    assert known() == (two, one)
    remember(one)
    assert known() == (one, two)


def test_what_is_not_there_is_left_out_until_it_is_back(index, tmp_path: Path) -> None:
    away = index("away")
    remember(away)
    remember(tmp_path / "about to be made")
    away.rename(tmp_path / "elsewhere")
    assert known() == ()
    (tmp_path / "elsewhere").rename(away)
    index("about to be made")
    assert known() == (tmp_path / "about to be made", away)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"7", b'{"a": 1}', b"[" * 100_000])
def test_a_damaged_list_is_begun_anew(index, data: Path, content: bytes) -> None:
    place = index("one")
    remember(place)
    listed(data).write_bytes(content)
    assert known() == ()
    remember(place)
    assert known() == (place,)


def test_of_a_list_with_odd_entries_the_others_stay(index, data: Path) -> None:
    place = index("one")
    remember(place)
    listed(data).write_text(json.dumps([None, "relative/index", "/with\0zero", ["x"], str(place)]))
    assert known() == (place,)


def test_a_home_that_cannot_be_written_is_no_error(index, data: Path) -> None:
    data.write_text("a file where the folder should be")
    remember(index("one"))
    assert known() == ()


def test_a_list_that_cannot_be_locked_is_no_error(index, data: Path) -> None:
    listed(data).with_name("indexes.json.lock").mkdir(parents=True)
    remember(index("one"))
    assert known() == ()


def test_the_list_does_not_grow_for_ever(index, data: Path) -> None:
    for number in range(120):
        remember(index(str(number)))
    assert [path.name for path in known()] == [str(number) for number in range(119, 19, -1)]
    assert sorted(path.name for path in listed(data).parent.iterdir() if path.suffix != ".lock") == ["indexes.json"]


def test_processes_at_the_same_time_lose_nothing(index, subprocess_env: dict[str, str]) -> None:
    places = [index(f"{writer}-{number}") for writer in range(3) for number in range(10)]
    code = "import sys; from pathlib import Path; from clipsearch.known import remember\n"
    code += "for place in sys.argv[1:]: remember(Path(place))"
    writers = [
        subprocess.Popen([sys.executable, "-c", code, *map(str, places[10 * i : 10 * i + 10])], env=subprocess_env)
        for i in range(3)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert set(known()) == set(places)
