"""Filters by the values of any column, against a plain predicate over the rows."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipsearch.errors import QueryError
from clipsearch.query.filters import Filter, survivors
from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing

NASTY = 'it\'s "so"; DROP TABLE pictures; --'
OWN = pa.schema(
    [
        ("maker", pa.string()),
        (NASTY, pa.string()),
        ("stars", pa.int32()),
        ("huge", pa.uint64()),
        ("price", pa.decimal128(9, 2)),
        ("warmth", pa.float64()),
        ("small", pa.float32()),
        ("liked", pa.bool_()),
        ("day", pa.date32()),
        ("seen", pa.timestamp("us")),
        ("sent", pa.timestamp("us", tz="UTC")),
        ("tags", pa.list_(pa.string())),
        ("marks", pa.list_(pa.int64())),
        ("box", pa.struct([("x", pa.int32())])),
    ]
)
MAKERS = ("Canon", "canon", "O'Neil", "", "100%_", NASTY, "日本 📷", "a\\'b", None)
MOMENTS = (datetime(2024, 2, 29, 23, 59, 59, 999999), datetime(2024, 3, 1), datetime(1969, 12, 31, 12), None)


def _rows() -> list[dict]:
    pick = np.random.default_rng(8)

    def one(*choices):
        return choices[pick.integers(len(choices))]

    return [
        {
            "id": number,
            "root": "p",
            "path": f"{number}.jpg",
            "file": f"{number}.jpg",
            "maker": one(*MAKERS),
            NASTY: one(*MAKERS),
            "stars": one(-1, 0, 1, 5, None),
            "huge": one(0, 2**63 + 1, 2**64 - 1, None),
            "price": one(Decimal("0.10"), Decimal("19.99"), Decimal("-3.00"), None),
            "warmth": one(-7.5, 0.1, 0.2, math.nan, math.inf, None),
            "small": one(0.1, 2.5, None),
            "liked": one(True, False, None),
            "day": one(date(2024, 2, 29), date(2024, 3, 1), None),
            "seen": one(*MOMENTS),
            "sent": (sent := one(*MOMENTS)) and sent.replace(tzinfo=UTC),
            "tags": one(["snow", "it's"], [], ["Snow man"], None),
            "marks": one([1, 2], [2, None], [], None),
            "box": one({"x": 1}, None),
        }
        for number in range(1, 241)
    ]


ROWS = _rows()


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    place = tmp_path_factory.mktemp("values")
    with open_for_writing(place / "x.index", ModelRef("toy", "toy-1", 4)) as writer:
        writer.take_ids(len(ROWS))
        writer.roots["p"] = Root("p", str(place))
        vectors = np.tile(np.float16([1, 0, 0, 0]), (len(ROWS), 1))
        writer.append(pa.Table.from_pylist(ROWS, schema=pa.schema([*ROW_SCHEMA, *OWN])), vectors)
        writer.publish()
    opened = Snapshot(place / "x.index")
    yield opened
    opened.close()


def assert_passes(snapshot, wanted, predicate):
    expected = [row["id"] for row in ROWS if predicate(row)]
    assert 0 < len(expected) < len(ROWS)
    assert survivors(snapshot, wanted).tolist() == expected


@given(makers=st.sets(st.sampled_from([maker for maker in MAKERS if maker is not None]), min_size=1))
@settings(max_examples=25, deadline=None)
def test_texts_pass_letter_for_letter(snapshot, makers):
    for column in ("maker", NASTY):
        assert_passes(snapshot, Filter(any_of={column: makers}), lambda r, column=column: r[column] in makers)


@given(st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_no_text_is_more_than_a_text(snapshot, text):
    for wanted in ({"any_of": {"maker": text}}, {"contains": {"maker": text}}):
        try:
            found = survivors(snapshot, Filter(**wanted)).tolist()
        except QueryError:  # empty, or no text that can be stored
            assert not text.strip() or "\0" in text
        else:
            exact = "any_of" in wanted
            makers = [(row["id"], row["maker"]) for row in ROWS if row["maker"] is not None]
            if exact:
                assert found == [i for i, maker in makers if maker == text]
            elif text.isascii():
                assert found == [i for i, maker in makers if text.lower() in maker.lower()]
    assert len(survivors(snapshot, "true")) == len(ROWS)


@given(st.text(min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_no_name_is_more_than_a_name(snapshot, name):
    known = {field.lower() for field in (*ROW_SCHEMA.names, *OWN.names)}
    if name.lower() not in known:
        with pytest.raises(QueryError, match="There is no column") as told:
            survivors(snapshot, Filter(any_of={name: "x"}))
        assert "the columns are id, root, path" in str(told.value)
        assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("wanted", "predicate"),
    [
        (Filter(any_of={"stars": 5}), lambda r: r["stars"] == 5),
        (Filter(any_of={"STARS": ["5", "-1"]}), lambda r: r["stars"] in (5, -1)),
        (Filter(any_of={"stars": [0.0, 2.5]}), lambda r: r["stars"] == 0),
        (Filter(any_of={"stars": (np.int64(1),)}), lambda r: r["stars"] == 1),
        (Filter(any_of={"huge": [2**64 - 1, -1]}), lambda r: r["huge"] == 2**64 - 1),
        (Filter(any_of={"huge": str(2**63 + 1)}), lambda r: r["huge"] == 2**63 + 1),
        (Filter(any_of={"price": "19.99"}), lambda r: r["price"] == Decimal("19.99")),
        (Filter(any_of={"price": Decimal("0.1")}), lambda r: r["price"] == Decimal("0.1")),
        (Filter(any_of={"warmth": [0.1]}), lambda r: r["warmth"] == 0.1),
        (Filter(any_of={"small": "0.1"}), lambda r: r["small"] == 0.1),
        (Filter(any_of={"liked": True}), lambda r: r["liked"] is True),
        (Filter(any_of={"liked": "False"}), lambda r: r["liked"] is False),
        (Filter(any_of={"day": date(2024, 3, 1)}), lambda r: r["day"] == date(2024, 3, 1)),
        (Filter(any_of={"seen": "2024-02"}), lambda r: r["seen"] and r["seen"].month == 2),
        (Filter(any_of={"sent": "2024-03-01"}), lambda r: r["sent"] and r["sent"].month == 3),
        (Filter(any_of={"tags": "it's"}), lambda r: "it's" in (r["tags"] or [])),
        (Filter(any_of={"tags": ["snow", "Snow man"]}), lambda r: bool(r["tags"])),
        (Filter(any_of={"marks": [1]}), lambda r: 1 in (r["marks"] or [])),
        (Filter(contains={"maker": "CANON"}), lambda r: "canon" in (r["maker"] or "").lower()),
        (Filter(contains={"maker": "%_"}), lambda r: r["maker"] == "100%_"),
        (Filter(contains={"tags": "snow"}), lambda r: any("snow" in tag.lower() for tag in r["tags"] or [])),
        (Filter(between={"stars": (0, None)}), lambda r: (r["stars"] or -1) >= 0 or r["stars"] == 0),
        (Filter(between={"stars": (None, "0")}), lambda r: r["stars"] in (0, -1)),
        (Filter(between={"price": ("0.1", "19.99")}), lambda r: (r["price"] or -1) > 0),
        (Filter(between={"warmth": (0.2, None)}), lambda r: r["warmth"] in (0.2, math.inf)),
        (Filter(between={"small": ("0.1", "0.1")}), lambda r: r["small"] == 0.1),
        (Filter(between={"day": ("2024-02", "2024-02")}), lambda r: r["day"] == date(2024, 2, 29)),
        (Filter(between={"seen": (None, "2024-02-29")}), lambda r: r["seen"] and r["seen"] < datetime(2024, 3, 1)),
        (Filter(between={"sent": ("2024-03", None)}), lambda r: r["sent"] and r["sent"].month == 3),
        (
            Filter(any_of={"liked": True, "stars": [0, 1]}, between={"warmth": (-10, 10)}, where="id > 100"),
            lambda r: (
                r["liked"] and r["stars"] in (0, 1) and (r["warmth"] or 0.3) in (-7.5, 0.1, 0.2) and r["id"] > 100
            ),
        ),
    ],
)
def test_values(snapshot, wanted, predicate):
    assert_passes(snapshot, wanted, predicate)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"any_of": {"star": 5}}, r"no column 'star' \(did you mean stars\?\); the columns are id, root"),
        ({"between": {"star": (5, None)}}, "no column 'star'"),
        ({"contains": {"star": "x"}}, "no column 'star'"),
        ({"any_of": {"stars": "many"}}, "stars holds numbers and cannot be 'many'; give a number"),
        ({"any_of": {"stars": True}}, "stars holds numbers and cannot be True"),
        ({"any_of": {"stars": math.nan}}, "cannot be nan"),
        ({"any_of": {"stars": "9" * 5000}}, "stars holds numbers"),
        ({"any_of": {"maker": 5}}, "maker holds texts and cannot be 5; give a text"),
        ({"any_of": {"liked": "yes"}}, "liked holds true or false and cannot be 'yes'"),
        ({"any_of": {"day": 2024}}, "day holds dates and cannot be 2024; give a date"),
        ({"any_of": {"day": "soon"}}, "'day' is 'soon', which is no date"),
        ({"any_of": {"box": "1"}}, "box holds struct.* values; write a condition"),
        ({"any_of": {"maker": "\ud800"}}, "not valid Unicode"),
        ({"any_of": {"marks": "x"}}, "marks holds lists of numbers and cannot be 'x'"),
        ({"between": {"maker": ("a", "b")}}, "maker holds texts, of which there is no range"),
        ({"between": {"marks": (1, 2)}}, "marks holds lists of numbers, of which there is no range"),
        ({"contains": {"stars": "5"}}, "stars holds numbers, which contain no text"),
        ({"any_of": {"maker": []}}, "No value of 'maker' is given"),
        ({"between": {"stars": (None, None)}}, "range of 'stars' has no end"),
        ({"contains": {"maker": " "}}, "No text is given that 'maker' should contain"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(snapshot, wanted, says):
    with pytest.raises(QueryError, match=says) as told:
        survivors(snapshot, Filter(**wanted))
    assert str(told.value).endswith(".")
    assert "\n" not in str(told.value)
