"""Looking for duplicates, on pictures that really are there more than once."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from clipsearch.types import DuplicateGroup
from clipsearch_ui.duplicates import look as looking
from clipsearch_ui.duplicates.asked import Asked
from clipsearch_ui.duplicates.groups import Groups
from clipsearch_ui.duplicates.look import look, look_again
from clipsearch_ui.engine import Engine, open_engine

from ..conftest import Build
from .conftest import MANY, SCENES, ended


def paths(groups: Iterable[DuplicateGroup]) -> list[tuple[str, set[str]]]:
    """Of each group the file to keep and the others."""
    return [(Path(group.keep.path).name, {Path(copy.path).name for copy in group.also}) for group in groups]


def test_it_finds_what_the_library_finds(engine: Engine) -> None:
    for asked in (
        Asked(),
        Asked("near", 0.93),
        Asked("near", 0.99),
        Asked(folder="copies"),
        Asked("near", 0.9, "scenes"),
    ):
        found = ended(look(engine, asked))
        assert (found.error, found.complete) == (None, True)
        expected = list(engine.index.duplicates(asked.level, threshold=asked.threshold, where=asked.where))
        assert list(found.groups) == expected
        assert len(found.groups) == len(expected)
        assert found.groups.spare == sum(len(group.also) for group in expected)
        assert found.groups.spare_bytes == sum(group.spare_bytes for group in expected)


def test_copies_are_found_and_the_original_is_kept(engine: Engine) -> None:
    equal = dict(paths(ended(look(engine, Asked())).groups))
    assert equal["0.jpg"] == {"0-equal.jpg"}
    assert equal["3.jpg"] == {f"3-{number}.jpg" for number in range(MANY)}
    near = dict(paths(ended(look(engine, Asked("near", 0.93))).groups))
    assert near["0.jpg"] == {"0-equal.jpg", "0-half.jpg", "0-poor.jpg"}


def test_how_far_it_is_ends_at_all_pictures(engine: Engine) -> None:
    found = ended(look(engine, Asked("near", 0.93)))
    assert (found.done, found.total) == (len(engine.index), len(engine.index))


def test_all_who_ask_the_same_share_one_look(engine: Engine) -> None:
    with looking._TURN:
        first = look(engine, Asked())
        assert first.running
        assert look(engine, Asked()) is first
        assert look(engine, Asked(folder="copies")) is not first
    assert look(engine, Asked()) is ended(first)


def test_one_looks_at_a_time_and_one_that_waits_can_be_stopped(engine: Engine) -> None:
    with looking._TURN:
        waiting = look(engine, Asked("near", 0.93))
        waiting.stop()
        ended(waiting)
    assert (waiting.complete, waiting.error, len(waiting.groups)) == (False, None, 0)
    again = look(engine, Asked("near", 0.93))
    assert again is not waiting
    assert ended(again).complete


def test_one_that_is_being_stopped_is_not_given_to_the_next(engine: Engine) -> None:
    with looking._TURN:
        stopping = look(engine, Asked())
        stopping.stop()
        assert look(engine, Asked()) is not stopping


def test_many_looks_are_not_all_kept(engine: Engine) -> None:
    first = ended(look(engine, Asked(folder="a0")))
    for number in range(1, 9):
        ended(look(engine, Asked(folder=f"a{number}")))
    assert look(engine, Asked(folder="a8")).complete
    assert look(engine, Asked(folder="a0")) is not first


def test_a_folder_outside_the_index_is_said(engine: Engine) -> None:
    found = ended(look(engine, Asked(folder="/nowhere")))
    assert not found.complete
    assert "outside what this index holds" in str(found.error)


def test_a_newer_version_is_looked_at_anew(tmp_path: Path, build: Build) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("a", "b"):
        shutil.copy(SCENES[0], tmp_path / "photos" / f"{name}.jpg")
    build(tmp_path / "photos", tmp_path / "i")
    engine = open_engine(tmp_path / "i")
    old = ended(look(engine, Asked()))
    shutil.copy(SCENES[0], tmp_path / "photos" / "c.jpg")
    build(tmp_path / "photos", tmp_path / "i")
    assert look(engine, Asked()) is old
    engine.refresh()
    new = ended(look(engine, Asked()))
    assert (old.groups.spare, new.groups.spare) == (1, 2)
    assert look_again(engine, old) is new
    assert ended(look_again(engine, new)) is not new


def test_groups_can_be_read_while_more_come(engine: Engine) -> None:
    made, groups = list(engine.index.duplicates("near")), Groups()
    assert groups.between(0, 20) == list(groups) == list(groups.lines()) == []
    for number, group in enumerate(made * 300, 1):
        groups.add(group)
        if number % 97 == 0:
            assert groups.between(number - 2, number + 5) == [
                made[(number - 2) % len(made)],
                made[(number - 1) % len(made)],
            ]
    assert len(groups) == len(made) * 300 > 1024
    assert list(groups) == made * 300
