"""What there is to filter by, against counting the rows in Python."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clipsearch
from clipsearch.query.facets import MOST_VALUES
from clipsearch.query.filters import Filter
from clipsearch.query.folder_tree import FolderTree
from clipsearch.query.histogram import MOST_BARS, bars
from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.writer import open_for_writing
from tests.query.filtered_rows import COUNT, ROWS


@pytest.fixture(scope="module")
def index(snapshot):
    with clipsearch.open(snapshot.layout.path) as opened:
        yield opened


@pytest.fixture(scope="module")
def facets(index):
    return index.facets()


def counted(column):
    return Counter(row[column] for row in ROWS if row[column] is not None)


@pytest.mark.parametrize("column", ["camera", "format", "width", "Film Type", "caption"])
def test_values_of_a_column(facets, column):
    facet = facets.of(column)
    assert dict(facet.values) == counted(column)
    assert [count for _, count in facet.values] == sorted(counted(column).values(), reverse=True)
    assert facet.complete
    assert facet.known == counted(column).total()


def test_values_of_lists_are_those_of_their_elements(facets):
    facet = facets.of("tags")
    assert dict(facet.values) == Counter(tag for row in ROWS for tag in row["tags"] or [])
    assert facet.known == sum(row["tags"] is not None for row in ROWS)


def test_every_value_counts_what_a_filter_by_it_finds(index, facets):
    told = [(facet.column.name, value, count) for facet in facets.columns for value, count in facet.values]
    assert len(told) > 20
    for column, value, count in told:
        assert index.count(Filter(any_of={column: [value]})) == count
        assert index.count(Filter(any_of={column: str(value)})) == count


def test_ends_of_numbers_and_dates(facets):
    assert (facets.of("width").least, facets.of("width").greatest) == (100, 4000)
    taken = [row["taken_at"] for row in ROWS if row["taken_at"]]
    assert (facets.of("taken_at").least, facets.of("taken_at").greatest) == (min(taken), max(taken))
    assert facets.of("camera").least is None


def test_sizes(index, facets):
    assert facets.sizes
    for size, count in facets.sizes:
        assert count == sum(min(row["width"], row["height"]) >= size for row in ROWS)
        assert index.count(Filter(min_size=size)) == count


def test_columns_that_say_nothing_have_no_facet(facets):
    assert facets.pictures == COUNT
    names = [facet.column.name for facet in facets.columns]
    assert not {"id", "path", "content_hash", "bytes", "sharpness"} & set(names)  # of no picture, or of each another


def test_the_histogram_counts_what_filters_by_date_find(index, facets):
    dates = facets.dates
    assert dates.unit == "day"
    assert sum(dates.counts) == COUNT
    for start, end, count in zip(dates.edges[:-1], dates.edges[1:], dates.counts, strict=True):
        assert index.count(Filter(after=start, before=end - timedelta(days=1))) == count


@given(st.dates(date(1, 1, 1), date(9998, 12, 31)), st.dates(date(1, 1, 1), date(9998, 12, 31)))
def test_bars_hold_all_days_and_are_few(one, other):
    first, last = min(one, other), max(one, other)
    unit, edges = bars(first, last)
    assert 1 <= len(edges) - 1 <= MOST_BARS
    assert edges[0] <= first < edges[1]
    assert edges[-2] <= last < edges[-1]
    assert list(edges) == sorted(set(edges))
    assert unit == "day" or all(edge.day == 1 for edge in edges)
    assert unit != "year" or all(edge.month == 1 for edge in edges)


def test_spans_of_bars():
    assert bars(date(2024, 5, 3), date(2024, 5, 3)) == ("day", (date(2024, 5, 3), date(2024, 5, 4)))
    assert bars(date(2023, 12, 30), date(2024, 3, 9))[1][::3] == (date(2023, 12, 1), date(2024, 3, 1))
    assert [edge.month for edge in bars(date(2015, 2, 1), date(2024, 3, 9))[1][:5]] == [1, 4, 7, 10, 1]
    assert [edge.year for edge in bars(date(1904, 2, 1), date(2024, 3, 9))[1][:3]] == [1902, 1905, 1908]


def test_odd_values_are_told_apart(tmp_path):
    """Many values, infinite numbers, dates that Python does not have, bytes and structs."""
    own = [("word", pa.string()), ("number", pa.float64()), ("when", pa.timestamp("s")), ("raw", pa.binary())]
    own += [("sent", pa.timestamp("us", tz="UTC")), ("flag", pa.bool_()), ("box", pa.struct([("x", pa.int32())]))]
    before_christ = int((datetime(1, 1, 1) - datetime(1970, 1, 1)).total_seconds()) - 10**10
    rows = [
        {
            "id": n,
            "root": "p",
            "path": f"{n}.jpg",
            "file": f"{n}.jpg",
            "width": 10,
            "height": 10,
            "camera": f"Camera {n // 2}",
            "word": f"word {n}",
            "raw": b"x",
            "box": {"x": n},
            "flag": n % 3 == 0,
            "number": (float("inf"), float("nan"), -1.5, 2.5)[n % 4],
            "when": before_christ if n == 1 else datetime(2020, 1, 1) + timedelta(days=n),
            "sent": datetime(2020, 1, 1, tzinfo=UTC),
        }
        for n in range(1, 201)
    ]
    with open_for_writing(tmp_path / "x.index", ModelRef("toy", "toy-1", 4)) as writer:
        writer.take_ids(len(rows))
        writer.roots["p"] = Root("p", str(tmp_path))
        table = pa.Table.from_pylist(rows, schema=pa.schema([*ROW_SCHEMA, *own]))
        writer.append(table, np.tile(np.float16([1, 0, 0, 0]), (len(rows), 1)))
        writer.publish()
    with clipsearch.open(tmp_path / "x.index") as index:
        found = index.facets()
    assert found.dates is None
    assert len(found.of("camera").values) == MOST_VALUES
    assert not found.of("camera").complete
    assert (found.of("word").values, found.of("word").complete, found.of("word").known) == ((), False, 200)
    assert (found.of("number").least, found.of("number").greatest) == (-1.5, 2.5)
    assert found.of("when").least == datetime(2020, 1, 3)
    assert found.of("sent").greatest == datetime(2020, 1, 1)
    assert dict(found.of("flag").values) == {True: 66, False: 134}
    assert (found.of("box").known, found.of("raw").values) == (200, ())


def test_an_empty_index_has_no_facets(tmp_path):
    with open_for_writing(tmp_path / "x.index", ModelRef("toy", "toy-1", 4)) as writer:
        writer.publish()
    with clipsearch.open(tmp_path / "x.index") as index:
        assert (index.facets().columns, index.facets().dates, index.folders().inside()) == ((), None, ())
        assert (len(index.browse()), index.count()) == (0, 0)


def test_folders_count_what_a_filter_by_them_finds(index):
    tree = index.folders()
    waiting, seen = [*tree.inside()], []
    while waiting:
        folder = waiting.pop()
        seen.append(folder.path)
        assert folder.pictures == index.count(Filter(folder=folder.path)), folder
        assert folder.name == folder.path.rpartition("/")[2]
        inside = tree.inside(folder.path)
        assert [child.name.casefold() for child in inside] == sorted(child.name.casefold() for child in inside)
        waiting += inside
    assert len(seen) == len(set(seen)) > 40
    # A Parquet file is a folder; a root and a folder of one name are both taken, as the filter has it.
    assert {"Photos/2024/s.parquet", "Trips/2024/summer/beach", "Trips/it's", "Photos/Photos/2024"} <= set(seen)
    assert tree.inside("Trips/nowhere") == tree.inside("Trips/2024/summer/beach/s.parquet") == ()


def test_a_folder_whose_name_is_not_utf8():
    from clipsearch.names import to_stored

    tree = FolderTree([("p", to_stored("caf\udce9/x"), 2), ("p", "", 1)])
    assert [(folder.path, folder.pictures) for folder in tree.inside()] == [("p", 3)]
    assert [(folder.path, folder.name) for folder in tree.inside("p")] == [("p/caf\udce9", "caf\udce9")]
    assert [folder.path for folder in tree.inside("p/caf\udce9")] == ["p/caf\udce9/x"]


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.text("ab-/0", max_size=8)), max_size=30))
def test_a_level_holds_the_next_names(places):
    counts = Counter((root, "/".join(part for part in folder.split("/") if part)) for root, folder in places)
    tree = FolderTree((root, folder, count) for (root, folder), count in counts.items())
    paths = Counter({f"{root}/{folder}".rstrip("/"): count for (root, folder), count in counts.items()})
    for parent in {"", *paths}:
        below = [path for path in paths if path.startswith(f"{parent}/") or not parent]
        names = {path[len(parent) + 1 if parent else 0 :].partition("/")[0] for path in below}
        assert [folder.name for folder in tree.inside(parent)] == sorted(names)
