"""The page opens each index with the model it was made with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import clipsearch
from clipsearch.known import remember
from clipsearch_ui.serving import key_of
from tests.tiny_model import write_tiny

from .conftest import draw
from .test_page import shown


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index made with a model folder of open_clip's."""
    folder = tmp_path_factory.mktemp("other")
    for number, colour in enumerate(("red", "green", "blue", "white")):
        draw(folder / "photos" / f"{colour}.png", colour, mtime=1000 + number)
    (folder / "model").mkdir()
    clipsearch.build(folder / "photos", folder / "other.index", model=str(write_tiny(folder / "model")))
    return folder / "other.index"


def test_an_index_of_another_model_is_searched_with_its_own(other: Path, visit: Callable[..., AppTest]) -> None:
    with clipsearch.open(other) as index:
        expected = [hit.id for hit in index.search("a red wall", k=4)]
    assert shown(visit(other, q="a red wall", all="1")) == expected


def test_one_page_searches_indexes_of_two_models(photos: Path, other: Path, visit: Callable[..., AppTest]) -> None:
    remember(other)
    page = visit(photos, q="a green meadow", all="1")
    assert len(shown(page)) == 60
    page.query_params["index"] = key_of(other)
    assert len(shown(page.run())) == 4
