"""A filtered search is brute force over the pictures that pass, whatever index, filter, query and k."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy import SIDE, ToyEncoder

from clipsearch.query.filters import Filter, survivors
from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.segments import removals_of
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing

Row = dict[str, Any]
Predicate = Callable[[Row], bool | None]
"""What SQL makes of a row: true, false, or None for NULL."""

COLOURS = ("red", "blue", "green", "white", "black", "yellow", "orange", "purple")
FOLDERS = ("a", "a/b", "ab", "c")
CAMERAS = (None, "Canon EOS 5D", "NIKON D750")
CAPTIONS = (None, "a dog", "two Dogs", "a cat")
FIRST = datetime(2024, 1, 1)


@dataclass(frozen=True)
class Made:
    """An index, what it holds, and what was taken out of it again."""

    snapshot: Snapshot
    rows: list[Row]
    vectors: dict[int, np.ndarray]


def make(place, count: int, removed: int, seed: int) -> Made:
    """An index of `count` pictures of noise, of which some were removed in a second version."""
    pick = np.random.default_rng(seed)
    encoder = ToyEncoder()
    pixels = pick.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    # Some pictures lie close together and some are the same, so that scores tie.
    pixels[count // 2 :: 5] = pixels[count // 2] if count else 0
    vectors = encoder.encode_images(pixels).astype(np.float16)
    rows = [random_row(number, pick) for number in range(1, count + 1)]
    gone = {int(i) for i in pick.choice(count, removed, replace=False) + 1}
    with open_for_writing(place / "x.index", ModelRef("toy", encoder.fingerprint, encoder.dim)) as writer:
        writer.take_ids(count)
        writer.roots["photos"] = Root("photos", str(place))
        half = count // 2
        for part in (slice(0, half), slice(half, count)):
            if rows[part]:
                writer.append(pa.Table.from_pylist(rows[part], schema=ROW_SCHEMA), vectors[part])
        writer.publish()
        writer.append(removals=removals_of(gone))
        writer.publish()
    kept = [row for row in rows if row["id"] not in gone]
    return Made(Snapshot(place / "x.index"), kept, {row["id"]: vectors[row["id"] - 1] for row in kept})


def random_row(number: int, pick: np.random.Generator) -> Row:
    path = f"{FOLDERS[pick.integers(len(FOLDERS))]}/{number}.png"
    taken = None if pick.random() < 0.3 else FIRST + timedelta(hours=int(pick.integers(24 * 30)))
    return {
        "id": number,
        "root": "photos",
        "path": path,
        "file": path,
        "mtime_ns": int(datetime(2024, 1, 15, tzinfo=UTC).timestamp()) * 10**9,
        "format": ("PNG", "JPEG")[pick.integers(2)],
        "width": int(pick.integers(1, 50)) * 100,
        "height": int(pick.integers(1, 50)) * 100,
        "taken_at": taken,
        "camera": CAMERAS[pick.integers(len(CAMERAS))],
        "caption": CAPTIONS[pick.integers(len(CAPTIONS))],
    }


@pytest.fixture(scope="module")
def indexes(tmp_path_factory):
    """Indexes of several sizes: one picture, few, several hundred."""
    made = [
        make(tmp_path_factory.mktemp(f"n{count}"), count, removed, seed)
        for seed, (count, removed) in enumerate([(1, 0), (12, 5), (300, 0), (300, 40), (700, 300)])
    ]
    yield made
    for one in made:
        one.snapshot.close()


# SQL conditions, each with what it says of a row in Python. NULL goes through AND, OR and NOT as SQL has it.

numbers = st.integers(0, 5000)


def compared(column: str, sign: str, value: int) -> tuple[str, Predicate]:
    signs = {">": int.__gt__, "<=": int.__le__, "=": int.__eq__}
    return f"{column} {sign} {value}", lambda row: signs[sign](row[column], value)


def has_word(word: str) -> tuple[str, Predicate]:
    return (
        f"caption ilike '%{word}%'",
        lambda row: None if row["caption"] is None else word.lower() in row["caption"].lower(),
    )


def missing(column: str) -> tuple[str, Predicate]:
    return f"{column} is null", lambda row: row[column] is None


def taken_from(day: int) -> tuple[str, Predicate]:
    when = FIRST + timedelta(days=day)
    return (
        f"taken_at >= date '{when:%Y-%m-%d}'",
        lambda row: None if row["taken_at"] is None else row["taken_at"] >= when,
    )


def listed(ids: set[int]) -> tuple[str, Predicate]:
    return f"id in ({', '.join(map(str, sorted(ids)))})", lambda row: row["id"] in ids


def conjunction(one, other) -> tuple[str, Predicate]:
    def both(row):
        values = (one[1](row), other[1](row))
        return False if False in values else None if None in values else True

    return f"({one[0]}) and ({other[0]})", both


def disjunction(one, other) -> tuple[str, Predicate]:
    def either(row):
        values = (one[1](row), other[1](row))
        return True if True in values else None if None in values else False

    return f"({one[0]}) or ({other[0]})", either


def negation(one) -> tuple[str, Predicate]:
    return f"not ({one[0]})", lambda row: None if one[1](row) is None else not one[1](row)


conditions = st.recursive(
    st.one_of(
        st.builds(compared, st.sampled_from(["width", "height", "id"]), st.sampled_from([">", "<=", "="]), numbers),
        st.builds(has_word, st.sampled_from(["dog", "CAT", "xyz"])),
        st.builds(missing, st.sampled_from(["caption", "taken_at", "camera"])),
        st.builds(taken_from, st.integers(0, 30)),
        st.builds(listed, st.sets(st.integers(0, 700), min_size=1, max_size=8)),
    ),
    lambda inner: st.one_of(
        st.builds(conjunction, inner, inner), st.builds(disjunction, inner, inner), st.builds(negation, inner)
    ),
    max_leaves=4,
)


@st.composite
def filters(draw) -> tuple[Filter, Predicate]:
    """A filter of any parts, and the same as a predicate."""
    given_: dict[str, Any] = {}
    parts: list[Predicate] = []
    if draw(st.booleans()):
        given_["where"], predicate = draw(conditions)
        parts.append(predicate)
    if draw(st.booleans()):
        folder = given_["folder"] = draw(st.sampled_from([*FOLDERS, "photos/a", "nowhere"]))
        parts.append(lambda row: row["path"].startswith(folder.removeprefix("photos/") + "/"))
    if draw(st.integers(0, 3)) == 0:
        camera = given_["camera"] = draw(st.sampled_from(["canon", "N", "zeiss"]))
        parts.append(lambda row: camera.lower() in (row["camera"] or "").lower())
    if draw(st.integers(0, 3)) == 0:
        after = given_["after"] = (FIRST + timedelta(days=draw(st.integers(0, 31)))).date()
        parts.append(lambda row: (row["taken_at"] or datetime(2024, 1, 15)).date() >= after)
    if draw(st.integers(0, 3)) == 0:
        before = given_["before"] = (FIRST + timedelta(days=draw(st.integers(0, 31)))).date()
        parts.append(lambda row: (row["taken_at"] or datetime(2024, 1, 15)).date() <= before)
    if draw(st.integers(0, 3)) == 0:
        size = given_["min_size"] = draw(st.integers(1, 4000))
        parts.append(lambda row: min(row["width"], row["height"]) >= size)
    if draw(st.integers(0, 3)) == 0:
        name = given_["format"] = draw(st.sampled_from(["jpg", "png"]))
        parts.append(lambda row: row["format"] == {"jpg": "JPEG", "png": "PNG"}[name])
    return Filter(**given_), lambda row: all(part(row) is True for part in parts)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.integers(0, 4),
    wanted=filters(),
    colours=st.lists(st.sampled_from(COLOURS), min_size=1, max_size=3),
    k=st.one_of(st.integers(1, 12), st.integers(1, 800)),
    without=st.lists(st.integers(1, 700), max_size=3),
)
def test_a_filtered_search_is_filtered_brute_force(indexes, which, wanted, colours, k, without):
    made, (filter_, predicate) = indexes[which], wanted
    among = survivors(made.snapshot, filter_)
    matches = [row["id"] for row in made.rows if predicate(row)]
    if among is None:
        assert not filter_
        assert len(matches) == len(made.rows)
    else:
        assert among.tolist() == matches
    queries = ToyEncoder().encode_texts(colours)
    found = made.snapshot.nearest(queries, k, among=among, without=without)
    allowed = [i for i in matches if i not in without]
    assert found.ids.shape == found.scores.shape == (len(colours), min(k, len(allowed)))
    for query, scores, ids in zip(queries, found.scores, found.ids, strict=True):
        truth = {i: float(made.vectors[i].astype(np.float32) @ query) for i in allowed}
        assert len(set(ids.tolist())) == len(ids)
        # By value: of pictures that score alike any may come first, or be the last to get in.
        np.testing.assert_allclose(scores, sorted(truth.values(), reverse=True)[:k], atol=2e-6)
        np.testing.assert_allclose(scores, [truth[i] for i in ids.tolist()], atol=2e-6)
    if among is not None:
        assert found.plan.survivors is not None
