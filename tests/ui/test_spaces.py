"""Where an index has several embedding spaces, the page asks those that answer, or one that is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

import clipsearch
from clipsearch.models import load_encoder
from clipsearch.types import Encoder
from tests.query.two_spaces import add_space, answer_with
from tests.tiny_model import write_tiny

from .conftest import Build, draw
from .test_page import params, shown

COLOURS = ("red", "green", "blue", "white", "black", "orange")


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory, build: Build, mini: Encoder) -> Path:
    """Six pictures with captions, embedded by two models which answer together, and their captions."""
    place = tmp_path_factory.mktemp("several")
    (place / "photos").mkdir()
    images = [draw(place / f"{colour}.png", colour) for colour in COLOURS]
    captions = [f"a {colour} wall" for colour in COLOURS]
    pq.write_table(pa.table({"image": images, "caption": captions}), place / "photos/shard.parquet")
    index = place / "photos.index"
    build(place / "photos", index)
    (place / "model").mkdir()
    add_space(index, "tiny", load_encoder(str(write_tiny(place / "model")), device="cpu", offline=True))
    add_space(index, "captions", mini, of="captions")
    answer_with(index, mini=1.0, tiny=0.5)
    return index


def test_the_spaces_that_answer_are_asked_unless_one_is_chosen(several: Path, visit: Callable[..., AppTest]) -> None:
    with clipsearch.open(several) as index:
        expected = {name: index.search("a green wall", spaces=name).ids.tolist() for name in (None, "tiny", "captions")}
    assert len({str(ids) for ids in expected.values()}) > 1, "they tell one from the other"
    page = visit(several, q="a green wall", all="1")
    choice = page.selectbox(key="space")
    assert choice.options == ["mini + tiny", "mini", "tiny", "captions"]
    assert shown(page) == expected[None]
    for name in ("captions", "tiny"):
        page = page.selectbox(key="space").set_value(name).run()
        assert params(page)["in"] == [name]
        assert shown(page) == expected[name]
    page = page.selectbox(key="space").set_value("").run()
    assert "in" not in params(page)
    assert shown(page) == expected[None]


def test_a_space_that_is_not_there_is_said(several: Path, visit: Callable[..., AppTest]) -> None:
    page = visit(several, q="a green wall", **{"in": "gone"})
    assert "mini" in page.error[0].value
    assert shown(page) == []


def test_one_space_needs_no_choice(photos: Path, visit: Callable[..., AppTest]) -> None:
    assert not [box for box in visit(photos, q="snow").selectbox if box.key == "space"]
