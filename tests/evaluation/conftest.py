"""An index whose right answers are known: pictures of one colour, and the toy encoder, for which colours are words."""

from __future__ import annotations

import io

import pytest
from PIL import Image

COLOURS = ("red", "lime", "blue", "yellow", "cyan", "magenta", "black", "white")


@pytest.fixture
def flat():
    """The bytes of a picture of one colour."""

    def picture(colour: str, size: tuple[int, int] = (12, 9)) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", size, colour).save(buffer, "png")
        return buffer.getvalue()

    return picture


@pytest.fixture
def colours(album, flat):
    """Eight pictures of one colour each in a shard: `caption` names the colour, `captions` does so in several ways,
    `wrong` names the next colour."""
    album.shard(
        "colours.parquet",
        {
            "image": [flat(colour) for colour in COLOURS],
            "caption": [f"all of this is {colour}" for colour in COLOURS],
            "captions": [[f"all of this is {colour}", f"nothing here but {colour}", " "] for colour in COLOURS],
            "wrong": [f"all of this is {colour}" for colour in (*COLOURS[1:], COLOURS[0])],
            "number": list(range(8)),
        },
    )
    album.build()
    return album
