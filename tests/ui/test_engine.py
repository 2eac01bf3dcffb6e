"""What sessions share: one engine, asked from many threads while versions are published."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Event

from PIL import Image

from clipsearch.pictures.small import shrink
from clipsearch_ui.engine import Engine
from clipsearch_ui.search.find import find
from clipsearch_ui.search.query import Query, Term
from clipsearch_ui.search.tiles import Tile

from .conftest import COLOURS, Build, draw


def test_many_sessions_ask_while_versions_are_published(tmp_path: Path, build: Build) -> None:
    folder, index = tmp_path / "photos", tmp_path / "photos.index"
    for colour in COLOURS:
        draw(folder / f"{colour}.png", colour)
    build(folder, index)
    engine, done = Engine(index), Event()

    def session() -> int:
        asked = 0
        while not done.is_set() or asked < 10:
            engine.refresh()
            tiles = find(engine, Query((Term("like", "1"),)), 20).tiles + find(engine, Query(), 20).tiles
            assert all(engine.get(1)["path"] and tile.path for tile in tiles)
            asked += 1
        return asked

    with ThreadPoolExecutor(4) as sessions:
        running = [sessions.submit(session) for _ in range(4)]
        try:
            for number in range(2):
                draw(folder / f"new {number}.png", COLOURS[number])
                build(folder, index)
        finally:
            done.set()
        assert all(run.result() >= 10 for run in running)
    engine.refresh()
    assert len(engine.index) == len(COLOURS) + 2
    engine.close()


def test_a_thumbnail_is_small_and_upright(tmp_path: Path) -> None:
    sideways = Image.Exif()
    sideways[0x0112] = 6
    picture = draw(tmp_path / "large.jpg", "red", (3000, 2000), exif=sideways)
    with Image.open(BytesIO(shrink(picture))) as small:
        assert small.format == "WEBP"
        assert (small.width, small.height) == (267, 400)


def test_a_tile_stays_within_what_a_row_can_hold() -> None:
    row = {"id": 1, "path": "a/b.jpg", "caption": None, "content_hash": "", "width": 9000, "height": 100}
    assert Tile.of(row, "key").aspect == 2.5
    assert Tile.of({**row, "width": 100, "height": 9000}, "key").aspect == 0.7
    assert Tile.of(row, "key").label == "a/b.jpg"
    assert Tile.of(row, "key").name == "b.jpg"
    assert Tile.of({**row, "caption": "Two dogs"}, "key").name == "Two dogs"
