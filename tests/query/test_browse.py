"""Looking through an index without a query, against sorting the rows in Python."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import clipsearch
from clipsearch.errors import QueryError
from clipsearch.query.filters import Filter
from tests.query.filtered_rows import COUNT, ROWS


@pytest.fixture(scope="module")
def index(snapshot):
    with clipsearch.open(snapshot.layout.path) as opened:
        yield opened


def moment(row):
    return row["taken_at"] or datetime.fromtimestamp(row["mtime_ns"] // 10**9, UTC).replace(tzinfo=None)


def ids(page):
    return page.rows["id"].to_pylist()


NEWEST = [row["id"] for row in sorted(ROWS, key=lambda row: (moment(row), row["id"]), reverse=True)]


def test_the_newest_come_first(index):
    assert ids(index.browse(k=50)) == NEWEST[:50]
    assert ids(index.browse(k=COUNT, sort="newest:asc")) == NEWEST[::-1]
    page = index.browse(k=2 * COUNT)
    assert ids(page) == NEWEST
    assert page.cursor is None
    assert page.rows.schema.names == index.sql("SELECT * FROM images LIMIT 0").schema.names


def test_pages_follow_one_another(index):
    seen, cursor = [], None
    while True:
        page = index.browse(k=60, where="width > 1000", cursor=cursor)
        seen += ids(page)
        cursor = page.cursor
        if cursor is None:
            break
        assert len(page) == 60
    assert seen == [i for i in NEWEST if ROWS[i - 1]["width"] > 1000]
    with pytest.raises(QueryError, match="another query"):
        index.browse(k=60, cursor=index.browse(k=60, where="width > 1000").cursor)


def test_a_page_that_is_just_full_is_the_last(index):
    assert index.browse(k=COUNT).cursor is None
    assert index.browse(k=COUNT - 1).cursor is not None


def test_the_order_of_a_column_has_empty_values_last(index):
    known = [row for row in ROWS if row["camera"]]
    ordered = [row["id"] for row in sorted(known, key=lambda row: (row["camera"], row["id"]))]
    found = ids(index.browse(k=COUNT, sort="Camera:asc"))
    assert found[: len(known)] == ordered
    assert found[len(known) :] == [row["id"] for row in ROWS if not row["camera"]]
    assert ids(index.browse(k=len(known), sort="camera")) == ordered[::-1]


def test_filters_of_every_kind(index):
    wanted = Filter(folder="2024", any_of={"Film Type": "slide"}, contains={"caption": "DOG"}, where="height > 500")
    passing = set(index.sql("SELECT id FROM images")["id"].to_pylist()) & {
        row["id"]
        for row in ROWS
        if (row["file"] or row["path"]).startswith("2024/")
        and row["Film Type"] == "slide"
        and "dog" in (row["caption"] or "").lower()
        and row["height"] > 500
    }
    assert passing
    assert ids(index.browse(k=COUNT, where=wanted)) == [i for i in NEWEST if i in passing]
    assert index.count(wanted) == len(passing)
    assert index.count() == index.count(Filter()) == COUNT


def test_one_of_each_group(index):
    first = {}
    for i in NEWEST:
        first.setdefault(ROWS[i - 1]["camera"], i)
    assert ids(index.browse(k=COUNT, group_by="camera")) == list(first.values())
    assert ids(index.browse(k=2, group_by="camera")) == list(first.values())[:2]


def test_one_of_each_picture(gallery):
    every, unique = (gallery.browse(k=1000, unique=unique) for unique in (False, True))
    assert 0 < len(unique) < len(every) == len(gallery)
    kept = set(ids(unique))
    assert ids(unique) == [i for i in ids(every) if i in kept]
    # Of several copies byte for byte, one is kept.
    hashes = [row["content_hash"] for row in unique.rows.to_pylist()]
    assert len(set(hashes)) == len(hashes)


def test_a_search_is_sorted_by_the_newest_too(gallery):
    relevant = gallery.search("a sailboat on the sea", k=40, sort="newest").relevant
    when = [hit.metadata["taken_at"] or hit.metadata["mtime"] for hit in relevant]
    assert len(set(when)) > 3
    assert when == sorted(when, reverse=True)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"sort": "widht"}, r"no column 'widht' \(did you mean width\?\); the columns are id"),
        ({"sort": "tags"}, "tags holds list.* which have no order"),
        ({"sort": 'id"; DROP TABLE pictures; --'}, "no column"),
        ({"where": "widht > 5"}, "no column 'widht'"),
        ({"k": 0}, "at least one picture"),
        ({"cursor": "abc"}, "no page cursor"),
    ],
)
def test_what_cannot_be_used_is_refused(index, asked, says):
    with pytest.raises(QueryError, match=says):
        index.browse(**asked)
