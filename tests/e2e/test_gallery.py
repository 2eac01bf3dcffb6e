"""The main job on what ships: the gallery, mini, and the files meant to trip an indexer."""

from __future__ import annotations

import re

import pytest
from PIL import Image

import clipsearch
from clipsearch.cli.commands.demo import PICTURES, TEXTS, gallery_folder

pytestmark = pytest.mark.slow

BAD = {"awkward/cut-off.jpg": "truncated", "awkward/nothing.jpg": "empty", "awkward/shopping-list.jpg": "not a picture"}


@pytest.fixture(scope="module")
def index(demo) -> clipsearch.Index:
    return clipsearch.open(demo[0], offline=True)


def test_the_demo_shows_queries_and_what_to_do_next(demo):
    _, printed = demo
    for text in TEXTS:
        assert f'clipsearch search "{text}"' in printed
    for picture in PICTURES:
        section = printed.split(f"--image {picture}")[1]
        columns, first = (line.split("\t") for line in section.splitlines()[1:3])
        assert first[columns.index("path")].endswith(picture), "a picture finds itself first"
    assert "clipsearch ui --index" in printed
    assert "clipsearch index ~/Pictures" in printed


def test_every_good_file_is_found_and_every_bad_one_listed_with_its_reason(index):
    files = [p for p in gallery_folder().rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".gif", ".webp")]
    listed = {failure["path"]: failure["reason"] for failure in index.failures()}
    assert listed == BAD
    paths = {row["path"] for row in index.sql("select path from images where shard is null").to_pylist()}
    assert paths == {str(f.relative_to(gallery_folder())) for f in files} - BAD.keys()
    assert index.sql("select count(*) as n from images where shard = 'more.parquet'").to_pylist()[0]["n"] > 50


def test_a_picture_turned_by_exif_is_upright_in_the_index(index):
    """Width and height are those the eye sees, not those the sensor had."""
    for name in ("turned-5.jpg", "turned-6.jpg", "turned-8.jpg"):
        row = index.sql(f"select width, height from images where path = 'awkward/{name}'").to_pylist()[0]
        with Image.open(gallery_folder() / "awkward" / name) as picture:
            assert (row["height"], row["width"]) == picture.size


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("a rocket in space", r"rocket|spaceship"),
        ("a red car at the beach", r"\bcars?\b|automobile"),
        ("three camels in the desert", r"camel|dromedar"),
        ("a cat in the living room", r"\bcats?\b|kitt"),
        ("a sailboat at sunset", r"sail|yacht|boat"),
    ],
)
def test_what_is_asked_for_comes_first(index, query, wanted):
    """Captions of the best hits, where a picture has one, name the thing that was asked for."""
    captions = [hit.metadata["caption"] for hit in index.search(query, k=4) if hit.metadata["caption"]]
    assert captions
    assert all(re.search(wanted, caption.lower()) for caption in captions), captions
