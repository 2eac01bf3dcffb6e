"""What is said of each picture, on the page and in the files."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

from clipsearch_ui.duplicates.asked import Asked
from clipsearch_ui.duplicates.cards import MOST_COPIES, cards
from clipsearch_ui.duplicates.export import as_csv, as_json
from clipsearch_ui.duplicates.look import look
from clipsearch_ui.engine import Engine, open_engine

from ..conftest import Build
from .conftest import MANY, SCENES, ended


def test_a_card_says_what_a_picture_is_and_why_it_is_kept(engine: Engine) -> None:
    found = list(ended(look(engine, Asked("near", 0.93))).groups)
    [place] = [number for number, group in enumerate(found) if Path(group.keep.path).name == "0.jpg"]
    [drawn] = cards(engine, found[place : place + 1], 41)
    assert drawn["number"] == 41
    assert drawn["about"].startswith("4 pictures, ")
    kept, *others = drawn["copies"]
    row = engine.get(kept["id"])
    assert (kept["keep"], kept["note"], kept["name"], kept["folder"]) == (
        True,
        "the oldest file",
        "0.jpg",
        "photos/scenes",
    )
    assert kept["facts"].startswith(f"{row['width']} × {row['height']} · ")  # noqa: RUF001
    assert kept["thumbnail"] == f"/pictures/{engine.key}/thumbnails/{row['id']}/{row['content_hash']}"
    notes = {card["name"]: card["note"] for card in others}
    assert notes["0-equal.jpg"] == "equal byte for byte"
    assert notes["0-half.jpg"].startswith("similarity 0.9")
    assert not any(card["keep"] for card in others)


def test_of_very_many_copies_some_are_drawn_and_the_rest_is_counted(engine: Engine) -> None:
    found = list(ended(look(engine, Asked())).groups)
    drawn = {group["copies"][0]["name"]: group for group in cards(engine, found, 1)}
    many = drawn["3.jpg"]
    assert (len(many["copies"]), many["more"]) == (1 + MOST_COPIES, MANY - MOST_COPIES)
    assert drawn["0.jpg"]["more"] == 0


def test_a_picture_that_is_gone_since_is_said(tmp_path: Path, build: Build) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("a", "b"):
        shutil.copy(SCENES[0], tmp_path / "photos" / f"{name}.jpg")
    build(tmp_path / "photos", tmp_path / "i")
    engine = open_engine(tmp_path / "i")
    found = list(ended(look(engine, Asked())).groups)
    gone = Path(found[0].also[0].path)
    gone.unlink()
    build(tmp_path / "photos", tmp_path / "i")
    engine.refresh()
    kept, also = cards(engine, found, 1)[0]["copies"]
    assert (also["note"], also["thumbnail"], also["name"]) == ("gone since", "", gone.name)
    assert kept["thumbnail"]


def test_the_json_is_that_of_the_command(engine: Engine, album: Path) -> None:
    command = [sys.executable, "-m", "clipsearch", "duplicates", "--json", "--index", str(album), "--level", "near"]
    printed = subprocess.run([*command, "--threshold", "0.95"], capture_output=True, check=True).stdout
    made = b"".join(as_json(ended(look(engine, Asked("near", 0.95))), album))
    assert json.loads(made) == json.loads(printed)
    nothing = b"".join(as_json(ended(look(engine, Asked(folder="no such"))), album))
    assert json.loads(nothing)["groups"] == []


def test_the_csv_has_every_picture_of_every_group(engine: Engine) -> None:
    found = ended(look(engine, Asked("near", 0.93)))
    made = b"".join(as_csv(found))
    rows = list(csv.DictReader(made.decode("utf-8", "surrogateescape").splitlines()))
    groups = list(found.groups)
    assert len(rows) == sum(1 + len(group.also) for group in groups)
    for number, group in enumerate(groups, 1):
        kept, *others = [row for row in rows if row["group"] == str(number)]
        assert (kept["role"], kept["because"], kept["path"]) == ("keep", group.because, group.keep.path)
        assert [(row["role"], row["because"], row["path"]) for row in others] == [
            ("also", "", copy.path) for copy in group.also
        ]
        for row, copy in zip(others, group.also, strict=True):
            assert (int(row["id"]), int(row["width"]), int(row["height"])) == (copy.id, copy.width, copy.height)
            assert (int(row["bytes"]), float(row["similarity"])) == (copy.bytes, copy.similarity)
    assert b"/4-\xff.jpg" in made  # the name it has on the disk
