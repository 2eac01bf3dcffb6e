"""The map page: its points over HTTP, its colours, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from clipsearch.errors import QueryError
from clipsearch_ui.engine import Engine
from clipsearch_ui.map import routes
from clipsearch_ui.map.chart import Chart, Making, Window, latest_chart, making
from clipsearch_ui.map.colours import FOLDER, GROUPS, NONE, OTHER, STEPS, colouring, columns
from clipsearch_ui.serving import key_of

from .conftest import Build, draw, served
from .test_served import get

WHOLE = Window()


def made(engine: Engine) -> Chart:
    work = making(engine)
    assert work.wait(60)
    assert work.error is None
    assert work.chart is not None
    return work.chart


@pytest.fixture(scope="module")
def engine(photos: Path) -> Iterator[Engine]:
    opened = Engine(photos)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def chart(engine: Engine) -> Chart:
    return made(engine)


def unpacked(body: bytes) -> tuple[list[float], np.ndarray, np.ndarray, np.ndarray]:
    """Head, ids, points and classes as the browser reads them."""
    head = np.frombuffer(body, "<f8", 6)
    count = int(head[4])
    ids = np.frombuffer(body, "<f8", count, 48)
    steps = np.frombuffer(body, "<u2", 2 * count, 48 + 8 * count).reshape(2, count).T
    assert len(body) == 48 + 13 * count
    points = head[:2] + steps / 65_535 * (head[2:4] - head[:2])
    return head.tolist(), ids, points, np.frombuffer(body, np.uint8, count, 48 + 12 * count)


def test_a_chart_has_every_picture_once_and_is_shared(engine: Engine, chart: Chart):
    assert sorted(chart.ids) == sorted(engine.index.sql("SELECT id FROM images")["id"].to_pylist())
    assert making(engine).chart is chart is latest_chart(engine.key)
    assert np.abs(chart.points).max() <= 1


def test_points_are_packed_as_the_browser_reads_them(chart: Chart):
    classes = (np.arange(len(chart.ids)) % 7).astype(np.uint8)
    head, ids, points, found = unpacked(routes.packed(chart, classes, WHOLE))
    assert head == [-1, -1, 1, 1, 70, 70]
    assert np.array_equal(ids, chart.ids)
    assert points == pytest.approx(chart.points, abs=2e-5)
    assert np.array_equal(found, classes)


def test_a_window_has_what_lies_in_it_and_finer(chart: Chart):
    x, y = chart.points[0].tolist()
    window = Window(x - 1e-4, y - 1e-4, x + 1e-4, y + 1e-4)
    head, ids, points, _ = unpacked(routes.packed(chart, np.zeros(len(chart.ids), np.uint8), window))
    inside = (np.abs(chart.points - chart.points[0]) <= 1e-4).all(axis=1)
    assert np.array_equal(ids, chart.ids[inside])
    assert head[4] == head[5] == inside.sum()
    assert points[0] == pytest.approx([x, y], abs=1e-8)


def test_of_very_many_an_even_sample_is_sent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(routes, "MOST_POINTS", 1000)
    chance = np.random.default_rng(0)
    points = np.concatenate([chance.uniform(-1, 0, (8000, 2)), chance.uniform(0, 1, (2000, 2))]).astype(np.float32)
    order = chance.permutation(10_000)
    chart = Chart(1, order.astype(np.int64), points[order])
    head, _, found, _ = unpacked(routes.packed(chart, np.zeros(10_000, np.uint8), WHOLE))
    assert head[4:] == [1000, 10_000]
    assert (found[:, 0] < 0).mean() == pytest.approx(0.8, abs=0.05)
    head, _, _, _ = unpacked(routes.packed(chart, np.zeros(10_000, np.uint8), Window(0, 0, 0.5, 0.5)))
    assert head[4] == head[5] < 1000


def test_folders_and_texts_are_groups(engine: Engine, chart: Chart):
    found = colouring(engine, chart, FOLDER)
    assert found.legend.groups[0] == "by colour"
    assert len(found.legend.groups) == 3
    assert "shard.parquet" in found.legend.groups
    folders = {
        row["id"]: row["path"].split("/")[0] for row in engine.index.sql("SELECT id, path FROM images").to_pylist()
    }
    for picture, number in zip(chart.ids.tolist(), found.classes.tolist(), strict=True):
        assert (found.legend.groups[number] == "by colour") == (folders[picture] == "by colour")
    assert colouring(engine, chart, FOLDER) is found


def test_numbers_and_dates_are_scales(engine: Engine, chart: Chart):
    found = colouring(engine, chart, "width")
    width = dict(engine.index.sql("SELECT id, width FROM images").to_pandas().to_numpy().tolist())
    by_width = [
        number for _, number in sorted(zip(map(width.get, chart.ids.tolist()), found.classes.tolist(), strict=True))
    ]
    assert by_width == sorted(by_width)
    assert (by_width[0], by_width[-1]) == (0, STEPS)
    dates = colouring(engine, chart, "mtime")
    assert dates.legend.low.startswith("1970-01-")
    taken = colouring(engine, chart, "taken_at")
    assert taken.legend.none
    assert (taken.classes == NONE).all()


def test_odd_columns_have_colours_or_are_not_offered(tmp_path: Path, build: Build):
    import pyarrow as pa
    import pyarrow.parquet as pq

    shades = [draw(tmp_path / "p" / f"{number}.png", f"#{number:02x}4488") for number in range(0, 200, 10)]
    table = {
        "image": shades,
        'a "name"': [f"it's {number}" for number in range(20)],
        "truth": [True, False, None, True] * 5,
        "ratio": [float("nan"), float("inf"), None, *map(float, range(17))],
        "tags": [["a"]] * 20,
    }
    (tmp_path / "shards").mkdir()
    pq.write_table(pa.table(table), tmp_path / "shards" / "s.parquet")
    build(tmp_path / "shards", tmp_path / "odd.index")
    engine = Engine(tmp_path / "odd.index")
    try:
        chart = made(engine)
        assert {'a "name"', "truth", "ratio"} < {*columns(engine)}
        assert not {"tags", "id", "content_hash"} & {*columns(engine)}
        named = colouring(engine, chart, 'a "name"')
        assert len(named.legend.groups) == GROUPS
        assert named.legend.other
        assert sorted(named.classes.tolist()) == [*range(GROUPS), *[OTHER] * 13]
        truth = colouring(engine, chart, "truth")
        assert truth.legend.groups == ("true", "false")
        assert np.bincount(truth.classes, minlength=256)[[0, 1, NONE]].tolist() == [10, 5, 5]
        assert np.count_nonzero(colouring(engine, chart, "ratio").classes == NONE) == 3
        assert (colouring(engine, chart, "no such column").classes == 0).all()
    finally:
        engine.close()


@pytest.fixture(scope="module")
def server(photos: Path, tmp_path_factory: pytest.TempPathFactory, chart: Chart) -> Iterator[str]:
    with served(photos, tmp_path_factory.mktemp("map") / "log") as place:
        yield place


def test_only_a_map_that_was_looked_at_is_served(server: str, photos: Path):
    key = key_of(photos)
    assert get(server, f"/pictures/{key}/map/1")[0] == 404
    assert get(server, f"/pictures/{key}/map/99999")[0] == 404
    status, _, body = get(server, "/pictures/000000000000/map/1")
    assert status == 404
    assert "no such index" in json.loads(body)["error"]


def test_names_of_pictures_are_served(server: str, photos: Path, engine: Engine):
    key = key_of(photos)
    status, _, body = get(server, f"/pictures/{key}/on-map?ids=3,1,999999")
    assert status == 200
    first, second = json.loads(body)
    assert (first["id"], second["id"]) == (3, 1)
    assert get(server, first["thumbnail"])[0] == 200
    for ids in ("", "1,x", "-1", "1;2", "9" * 30):
        assert get(server, f"/pictures/{key}/on-map?ids={ids}")[0] == 404
    assert get(server, "/pictures/000000000000/on-map?ids=1")[0] == 404


@pytest.mark.parametrize("given", ["", "1,2,3", "a,b,c,d", "0,0,0,1", "1,0,0,1", "nan,0,1,1", "0,0,inf,1", "-9,0,1,1"])
def test_windows_that_make_no_sense_are_refused(given: str):
    with pytest.raises(QueryError, match="four numbers"):
        routes._window(given)


def _page(index: str) -> None:
    from pathlib import Path

    from clipsearch_ui.engine import open_engine
    from clipsearch_ui.map.page import show
    from clipsearch_ui.serving import Serving

    engine = open_engine(Path(index))
    engine.refresh()
    show(Serving(Path(index)), engine)


def visit(index: Path, **address: str) -> AppTest:
    page = AppTest.from_function(_page, kwargs={"index": str(index)}, default_timeout=60)
    for name, value in address.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def test_the_colour_lives_in_the_address(photos: Path):
    page = visit(photos)
    assert page.selectbox[0].value == FOLDER
    assert "70 pictures" in page.caption[0].value
    page.selectbox[0].select("width").run()
    assert page.query_params == {"colour": "width"}
    assert visit(photos, colour="width").selectbox[0].value == "width"
    assert visit(photos, colour="<b>nonsense").selectbox[0].value == "nothing"


def test_an_empty_index_says_so(tmp_path: Path, build: Build):
    (tmp_path / "photos").mkdir()
    build(tmp_path / "photos", tmp_path / "photos.index")
    assert "no picture to show" in visit(tmp_path / "photos.index").info[0].value


def test_one_picture_and_its_copies_are_a_map(tmp_path: Path, build: Build):
    draw(tmp_path / "photos" / "one.png", "red")
    build(tmp_path / "photos", tmp_path / "photos.index")
    assert "1 picture;" in visit(tmp_path / "photos.index").caption[0].value
    draw(tmp_path / "photos" / "two.png", "red")
    build(tmp_path / "photos", tmp_path / "photos.index")
    assert "all alike" in visit(tmp_path / "photos.index").caption[0].value


def test_a_map_that_cannot_be_made_says_why(photos: Path, monkeypatch: pytest.MonkeyPatch):
    engine = Engine(photos)
    try:
        monkeypatch.setattr(engine.index, "map", lambda _: (_ for _ in ()).throw(QueryError("It broke; mend it.")))
        work = Making(engine)
        assert work.wait(10)
        assert work.error == "It broke; mend it."
        assert work.chart is None
    finally:
        engine.close()
