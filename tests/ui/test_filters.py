"""The filters beside the pictures, without a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import clipsearch
from clipsearch import Filter
from clipsearch.query.facets import Facet
from clipsearch.query.kinds import Column
from clipsearch_ui.filters.address import Part
from clipsearch_ui.filters.chips import label
from clipsearch_ui.filters.columns import scale, tells_apart

from .conftest import Build
from .filtered import NOTES, make

Visit = Callable[..., AppTest]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, build: Build) -> Path:
    return make(tmp_path_factory.mktemp("filters"), build)


def drawn(page: AppTest, key: str) -> dict[str, Any]:
    """The data of a component."""
    assert not page.exception
    return next(json.loads(one.proto.json) for one in page.get("bidi_component") if one.key == key)


def shown(page: AppTest) -> list[int]:
    return [tile["id"] for tile in drawn(page, "grid")["tiles"]]


def found(index: Path, **asked: Any) -> list[int]:
    with clipsearch.open(index) as opened:
        ids: list[int] = opened.browse(k=60, **asked).rows["id"].to_pylist()
    assert 0 < len(ids) < len(opened)
    return ids


def params(page: AppTest) -> dict[str, list[str]]:
    return {name: [value] if isinstance(value, str) else value for name, value in page.query_params.items()}


def chips(page: AppTest) -> list[str]:
    return [button.label for button in page.button if (button.key or "").startswith("drop-")]


def widget(page: AppTest, kind: str, key: str) -> Any:
    return next(one for one in page.get(kind) if one.key == key)


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ({"folder": "photos/sea"}, Filter(folder="photos/sea")),
        ({"folder": "photos/shard.parquet"}, Filter(folder="photos/shard.parquet")),
        ({"after": "2021-02", "before": "2021"}, Filter(after="2021-02", before="2021")),
        ({"camera": ["Acme One", "Acme *Two*"]}, Filter(any_of={"camera": ["Acme One", "Acme *Two*"]})),
        ({"format": "png"}, Filter(format="png")),
        ({"min": "512"}, Filter(min_size=512)),
        ({"where": "width > 55 and id % 2 = 0"}, Filter(where="width > 55 and id % 2 = 0")),
        ({"is.stars": ["4", "5"]}, Filter(any_of={"stars": [4, 5]})),
        ({"is.liked": "False"}, Filter(any_of={"liked": False})),
        ({"is.tags": "tag 7"}, Filter(any_of={"tags": "tag 7"})),
        ({"has.note": "NOTE <b> 1"}, Filter(contains={"note": "note <b> 1"})),
        ({"from.price": "3", "to.price": "5.5"}, Filter(between={"price": (3, 5.5)})),
        ({"to.sold on": "2019-04-20"}, Filter(between={"sold on": (None, date(2019, 4, 20))})),
    ],
)
def test_the_address_says_what_may_be_found(index: Path, visit: Visit, address: Any, wanted: Filter) -> None:
    page = visit(index, **address)
    assert shown(page) == found(index, where=wanted)
    assert len(chips(page)) == sum(1 if isinstance(value, str) else len(value) for value in address.values())


def test_the_address_says_how_it_is_shown(index: Path, visit: Visit) -> None:
    assert shown(visit(index, sort="bytes:asc")) == found(index, sort="bytes:asc")
    assert shown(visit(index, group="camera")) == found(index, group_by="camera")
    assert shown(visit(index, unique="1")) == found(index, unique=True)
    page = visit(index, q="a red wall", all="1", folder="photos/sea", sort="width")
    with clipsearch.open(index) as opened:
        hits = opened.search("a red wall", k=61, where=Filter(folder="photos/sea"), sort="width")
    assert shown(page) == hits.ids.tolist()


def test_filters_survive_another_text_and_can_be_taken_off_one_by_one(index: Path, visit: Visit) -> None:
    page = visit(index, camera=["Acme One", "Acme *Two*"], after="2021", all="1")
    page.text_input(key="text").input("a red wall").run()
    assert params(page)["camera"] == ["Acme One", "Acme *Two*"]
    assert chips(page) == ["Acme One", r"Acme \*Two\*", r"since 2021"]
    page.button(key="drop-0").click().run()
    assert params(page)["camera"] == ["Acme *Two*"]
    assert params(page)["q"] == ["a red wall"]
    page.button(key="clear-filters-panel").click().run()
    assert chips(page) == []
    assert params(page) == {"q": ["a red wall"]}


def test_dates_are_chosen_in_fields_and_shown_over_the_histogram(index: Path, visit: Visit) -> None:
    page = visit(index, before="2021-06")
    assert widget(page, "date_input", "filter-before").value == date(2021, 6, 30)
    assert drawn(page, "histogram")["before"] == "2021-06-30"
    widget(page, "date_input", "filter-after").set_value(date(2021, 2, 1)).run()
    assert params(page) == {"before": ["2021-06"], "after": ["2021-02-01"]}
    assert shown(page) == found(index, where=Filter(after="2021-02", before="2021-06"))
    bars = drawn(page, "histogram")["bars"]
    assert sum(bar["count"] for bar in bars) == 96
    assert bars[0]["label"] == "2020-01"
    with clipsearch.open(index) as opened:
        assert all(opened.count(Filter(after=bar["from"], before=bar["to"])) == bar["count"] for bar in bars)


def test_folders_go_down_level_by_level(index: Path, visit: Visit) -> None:
    top = drawn(visit(index), "folders")
    assert [folder["name"] for folder in top["folders"]] == ["sea", "shard.parquet", "town"]
    assert [folder["pictures"] for folder in top["folders"]] == [18, 60, 18]
    assert top["trail"] == [{"name": "All folders", "path": ""}]
    below = drawn(visit(index, folder="photos/town"), "folders")
    assert [folder["path"] for folder in below["folders"]] == ["photos/town/old [x](y)"]
    assert [step["path"] for step in below["trail"]] == ["", "photos/town"]
    assert drawn(visit(index, folder="photos/town/old [x](y)"), "folders")["folders"] == []


def test_choices_sliders_and_fields_change_the_address(index: Path, visit: Visit) -> None:
    page = visit(index)
    widget(page, "button_group", "filter-camera").set_value(["Acme One"]).run()
    assert params(page) == {"camera": ["Acme One"]}
    assert shown(page) == found(index, where=Filter(any_of={"camera": "Acme One"}))
    widget(page, "button_group", "filter-camera").set_value([]).run()
    assert params(page) == {}
    widget(page, "button_group", "filter-is.stars").set_value(["4", "5"]).run()
    assert params(page) == {"is.stars": ["4", "5"]}
    page.slider(key="filter-between.price").set_value((0.0, 5.0)).run()
    assert params(page) == {"is.stars": ["4", "5"], "to.price": ["5.0"]}
    page.text_input(key="filter-has.note").input(f" {NOTES} 1 ").run()
    assert params(page)["has.note"] == [f"{NOTES} 1"]
    assert shown(page) == found(
        index,
        where=Filter(any_of={"stars": [4, 5]}, between={"price": (None, 5)}, contains={"note": f"{NOTES} 1"}),
    )


def test_size_order_and_groups_change_the_address(index: Path, visit: Visit) -> None:
    page = visit(index)
    widget(page, "button_group", "filter-min").set_value("512").run()
    assert params(page) == {"min": ["512"]}
    assert len(shown(page)) == 6
    page.selectbox(key="filter-sort").set_value("bytes").run()
    page.toggle(key="filter-reversed").set_value(True).run()
    assert params(page) == {"min": ["512"], "sort": ["bytes:asc"]}
    page.selectbox(key="filter-group").set_value("camera").run()
    page.toggle(key="filter-unique").set_value(True).run()
    assert params(page) == {"min": ["512"], "sort": ["bytes:asc"], "group": ["camera"], "unique": ["1"]}
    page.toggle(key="filter-unique").set_value(False).run()
    page.toggle(key="filter-reversed").set_value(False).run()
    page.selectbox(key="filter-sort").set_value("newest").run()
    assert params(page) == {"min": ["512"], "group": ["camera"]}


def test_only_what_tells_pictures_apart_is_drawn(index: Path, photos: Path, visit: Visit) -> None:
    page = visit(index)
    titles = [expander.label for expander in page.expander]
    assert titles == ["stars", "price", "liked", "tags", "note", "sold on", "same", "For experts"]
    page = visit(photos)
    keys = {element.key for kind in ("button_group", "multiselect", "text_input") for element in page.get(kind)}
    assert "filter-format" in keys
    assert not {"filter-camera", "filter-min", "filter-near"} & keys


def test_a_condition_that_is_wrong_is_told_in_plain_words_under_its_field(index: Path, visit: Visit) -> None:
    page = visit(index, q="a red wall", folder="photos/sea")
    page.text_area(key="filter-where").input("widht > 5").run()
    assert not page.exception
    field = [error.value for error in page.sidebar.error]
    assert len(field) == 1
    assert "There is no column" in field[0]
    assert "did you mean width" in field[0]
    assert len(page.error) == 2  # and above the pictures, for those who see no sidebar
    page.text_area(key="filter-where").input("width > 55").run()
    assert not page.error
    assert params(page)["where"] == ["width > 55"]


def test_what_is_wrong_elsewhere_is_not_told_under_the_condition(index: Path, visit: Visit) -> None:
    page = visit(index, where="width > 55", **{"is.nothing": "x"})
    assert not page.sidebar.error
    assert "nothing" in page.error[0].value
    page.button(key="clear-filters-refused").click().run()
    assert not page.error
    assert len(shown(page)) == 60


def test_no_picture_passes_is_said_apart_from_nothing_relevant(index: Path, visit: Visit) -> None:
    page = visit(index, q="a red wall", where="width > 9999")
    assert "No picture passes the filters" in [element.value for element in page.subheader]
    page.button(key="clear-filters-nothing").click().run()
    assert params(page) == {"q": ["a red wall"]}
    page = visit(index, q="two dogs", folder="photos/sea")
    assert "Nothing here looks like that" in [element.value for element in page.subheader]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ({"near": "here"}, "latitude, longitude and kilometres"),
        ({"near": "91,0,1"}, "latitude"),
        ({"min": "large"}, "number of pixels"),
        ({"min": "0"}, "not above zero"),
        ({"after": "yesterday"}, "no date"),
        ({"group": "colour"}, "no column"),
        ({"sort": "nothing"}, "no column"),
        ({"sort": "tags"}, "have no order"),
        ({"is.stars": "many"}, "give a number"),
        ({"from.note": "a"}, "no range"),
        ({"has.stars": "5"}, "contain no text"),
        ({"is.": "5"}, "no column"),
        ({"is.stars) or (true": "5"}, "no column"),
        ({"folder": "/"}, "none of the index"),
        ({"folder": "~/x"}, "none of the index"),
        ({"folder": ".."}, "none of the index"),
        ({"where": "true; drop table pictures"}, "not one SQL condition"),
        ({"where": "id in (select 1)"}, "no subquery"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused_in_a_sentence(
    index: Path, visit: Visit, address: dict[str, str], says: str
) -> None:
    page = visit(index, **address)
    assert not page.exception
    assert says in page.error[0].value.replace("\\", "")
    assert str(index.parent) not in page.error[0].value
    page.button(key="start-over").click().run()
    assert params(page) == {}
    assert not page.error


def test_more_pages_of_what_passes(index: Path, visit: Visit) -> None:
    page = visit(index, format=["PNG", "JPEG"])
    first = shown(page)
    page.button(key="show-more").click().run()
    assert len(shown(page)) == 96
    assert shown(page)[:60] == first
    widget(page, "button_group", "filter-camera").set_value(["Acme One"]).run()
    assert len(shown(page)) == 12


def test_a_level_of_very_many_folders_is_narrowed_by_a_part_of_a_name() -> None:
    def level() -> None:
        from clipsearch.query.folder_tree import FolderTree
        from clipsearch_ui.filters.folders import folders

        folders(FolderTree(("a", f"number {n}", 1) for n in range(100_000)))

    page = AppTest.from_function(level, default_timeout=60).run()
    data = drawn(page, "folders")
    assert (len(data["folders"]), data["more"], data["narrow"]) == (200, 99_800, True)
    page.session_state["filter-folder-part"] = "BER 777"
    data = drawn(page.run(), "folders")
    assert data["folders"][0]["name"] == "number 777"
    assert (len(data["folders"]), data["more"]) == (111, 0)


def test_chips_say_what_they_filter_by() -> None:
    said = {
        ("near", "48.1,11.5,20"): "within 20 km of 48.1, 11.5",
        ("near", "nonsense"): "nonsense",
        ("is.stars", "4"): "stars: 4",
        ("sort", "width:asc"): "sorted by width, reversed",
        ("to.sold on", "2024-01-01"): "sold on to 2024-01-01",
        ("where", "x" * 50): "x" * 40 + "…",
        ("unique", "1"): "one of each picture",
    }
    assert {part: label(Part(*part)) for part in said} == said


def test_scales_have_round_steps_and_hold_all_values() -> None:
    import pyarrow as pa

    def facet(least: float, greatest: float, kind: pa.DataType) -> Facet:
        return Facet(Column("x", kind, False), 5, least=least, greatest=greatest)

    assert scale(facet(1, 900, pa.int64())) == (1, 900, 1)
    assert scale(facet(-0.5, 1.234, pa.float64())) == pytest.approx((-0.5, 1.24, 0.01))
    assert scale(facet(2.0, 2.0, pa.float64())) == (2, 2, 1)
    least, greatest, step = scale(facet(0, 2**60, pa.int64()))
    assert (least, step) == (0, 1e16)
    assert greatest >= 2**60
    assert not tells_apart(facet(2.0, 2.0, pa.float64()), 5)
    assert tells_apart(facet(2.0, 2.0, pa.float64()), 6)
