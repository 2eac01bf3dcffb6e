"""What `search` does with the candidates: groups, copies, order, pages, many queries at once."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

import clipsearch
from clipsearch import Query, stored, text, vector
from clipsearch.errors import QueryError
from tests.conftest import encoded


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Forty pictures in four folders, twelve of them copies, and eight in a Parquet file."""
    from tests.conftest import Album

    place = tmp_path_factory.mktemp("search")
    album = Album(place / "photos", place / "photos.index")
    for number in range(28):
        album.paint(f"{'abcd'[number % 4]}/p{number:02d}.png", number, (10 + number % 5, 9))
    for number in range(12):
        album.paint(f"copies/p{number:02d}.png", number, (10 + number % 5, 9))
    rows = range(100, 108)
    columns = {"image": [encoded(seed) for seed in rows], "rating": [7, 3, None, 5, 1, 3, None, 9]}
    columns |= {"tags": [["x"]] * 8, "taken_at": [datetime(2020, 1, 1 + i // 2) for i in range(8)]}
    album.shard("more.parquet", columns)
    album.build(album.folder)
    with album.open() as index:
        yield index


QUERY = vector(np.random.default_rng(0).normal(size=48))


def everything(index):
    """Brute force: every row with its score, best first; copies, which score alike, in the order of a plain search."""
    rows = {row["id"]: row for row in index.sql("select * from images").to_pylist()}
    ids = index.search(QUERY, k=100).ids.tolist()
    scores = index.vectors(ids).astype(np.float64) @ (QUERY.value / np.linalg.norm(QUERY.value))
    assert len(ids) == len(rows)
    np.testing.assert_allclose(scores, sorted(scores, reverse=True), atol=1e-6)
    return [rows[i] | {"score": score} for i, score in zip(ids, scores, strict=True)]


def first_of_each(rows, key):
    seen = {}
    for row in rows:
        seen.setdefault(key(row), row)
    return list(seen.values())


def folder(row):
    return row["shard"] or row["path"].rpartition("/")[0]


KEYS = {
    "folder": folder,
    "day": lambda row: row["taken_at"] and row["taken_at"].date(),
    "camera": lambda row: row["camera"],
    "RATING": lambda row: row["rating"],
}


def same(hits, rows):
    assert [hit.id for hit in hits] == [row["id"] for row in rows]
    np.testing.assert_allclose([hit.score for hit in hits], [row["score"] for row in rows], atol=1e-3)


@pytest.mark.parametrize("k", [1, 3, 4, 6, 48, 100])
@pytest.mark.parametrize("by", ["folder", "day", "camera", "RATING"])
def test_the_best_of_each_group(index, k, by):
    rows = first_of_each(everything(index), KEYS[by])
    hits = index.search(QUERY, k=k, group_by=by)
    same(hits, rows[:k])
    assert len({KEYS[by](hit.metadata) for hit in hits}) == len(hits)


@pytest.mark.parametrize("k", [1, 5, 36, 100])
def test_no_picture_twice(index, k):
    same(index.search(QUERY, k=k, unique=True), first_of_each(everything(index), lambda row: row["content_hash"])[:k])


def test_groups_copies_and_a_filter_together(index):
    rows = [row for row in everything(index) if row["width"] > 10]
    kept = []
    for row in rows:
        if all(folder(row) != folder(k) and row["content_hash"] != k["content_hash"] for k in kept):
            kept.append(row)
    same(index.search(QUERY, k=10, unique=True, group_by="folder", where="width > 10"), kept)


@pytest.mark.parametrize("column", ["path", "bytes", "rating", "taken_at", "WIDTH"])
@pytest.mark.parametrize("direction", ["", ":asc", ":desc"])
def test_sorted_by_a_column_with_empty_values_last(index, column, direction):
    hits = index.search(QUERY, k=48, sort=column + direction)
    values = [hit.metadata[column.lower()] for hit in hits]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=direction != ":asc")
    assert values[len(known) :] == [None] * (48 - len(known))


def test_equal_values_keep_the_order_of_the_scores(index):
    hits = index.search(QUERY, k=48, sort="width")
    for width in {hit.metadata["width"] for hit in hits}:
        scores = [hit.score for hit in hits if hit.metadata["width"] == width]
        assert scores == sorted(scores, reverse=True)


def test_what_has_no_order_is_refused(index):
    with pytest.raises(QueryError, match=r"tags .* no order"):
        index.search(QUERY, sort="tags")
    with pytest.raises(QueryError, match="did you mean rating"):
        index.search(QUERY, sort="ratings")


def test_diversity_keeps_the_best_first_and_all_of_them(index):
    plain, diverse = (index.search(QUERY, k=48, diversity=amount) for amount in (0, 0.8))
    assert diverse[0].id == plain[0].id
    assert sorted(diverse.ids) == sorted(plain.ids)

    def likeness(hits):
        vectors = index.vectors(hits.ids[:10].tolist()).astype(np.float32)
        return float((vectors @ vectors.T).mean())

    assert likeness(diverse) < likeness(plain) - 0.02


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"unique": True},
        {"group_by": "folder"},
        {"sort": "bytes:asc"},
        {"diversity": 0.5},
        {"unique": True, "diversity": 0.5},
        {"unique": True, "group_by": "folder", "sort": "path"},
        {"where": "width > 11"},
        {"like": [3, 4], "unlike": [5]},
    ],
    ids=str,
)
def test_pages_follow_one_another(index, options):
    k = 4
    pages = [index.search(QUERY, k=k, **options)]
    while pages[-1].cursor is not None:
        with clipsearch.open(index.path, encoder=index.encoder) as other:  # as another process would
            pages.append(other.search(QUERY, k=k, cursor=pages[-1].cursor, **options))
    listed = [hit.id for page in pages for hit in page]
    assert len(set(listed)) == len(listed)
    assert all(len(page) == k for page in pages[:-1])
    if not options.get("sort"):  # where nothing is known to be relevant, pages are sorted one by one
        assert listed == index.search(QUERY, k=48, **options).ids.tolist() or options.get("diversity")
    assert len(listed) == len(index.search(QUERY, k=48, **options))


def test_a_cursor_belongs_to_its_query_and_version(make_album):
    album = make_album("p", "p.index")
    album.paint_many(12)
    album.build()
    with album.open() as index:
        cursor = index.search("red", k=3).cursor
        for other in ({"k": 4}, {"k": 3, "where": "width > 1"}, {"k": 3, "unique": True}, {"k": 3, "templates": False}):
            with pytest.raises(QueryError, match="another query"):
                index.search("red", cursor=cursor, **other)
        for query in ("blue", 0.5 * text("red") + "blue", stored(1), text("red", 2), Query("red", unless="blue")):
            with pytest.raises(QueryError, match=r"another query|cannot say"):
                index.search(query, k=3, cursor=cursor)
        assert len(index.search("red", k=3, cursor=cursor)) == 3
        album.paint_many(3, first=20)
        album.build()
        assert len(index.search("red", k=3, cursor=cursor)) == 3, "the version is still open"
        index.refresh()
        with pytest.raises(QueryError, match=r"version 2 .* now at 3|version \d+ .* now at"):
            index.search("red", k=3, cursor=cursor)


def test_many_queries_at_once_answer_like_one_by_one(index):
    rng = np.random.default_rng(1)
    queries = ["red", text("blue") - 0.3 * text("green"), stored(3), *(vector(row) for row in rng.normal(size=(9, 48)))]
    for options in ({}, {"unique": True, "group_by": "folder"}, {"where": "width > 11"}, {"diversity": 0.4}):
        together = index.search_many(queries, k=5, **options)
        for query, found in zip(queries, together, strict=True):
            alone = index.search(query, k=5, **options)
            assert found.ids.tolist() == alone.ids.tolist()
            np.testing.assert_allclose(found.scores, alone.scores, atol=1e-6)
            assert found.cursor == alone.cursor
            assert list(found) == list(alone)


def test_an_array_of_vectors(index):
    rows = np.random.default_rng(2).normal(size=(4, 48))
    for row, found in zip(rows, index.search_many(rows, k=3), strict=True):
        assert found.ids.tolist() == index.search(vector=row, k=3).ids.tolist()
    assert index.search_many([]) == []
    with pytest.raises(QueryError, match=r"\[n, dim\]"):
        index.search_many(rows[0])


def test_results_are_a_sequence_and_a_table(index):
    results = index.search(QUERY, k=20)
    assert [results[i] for i in range(20)] == list(results) == [*results[:7], *results[7:]]
    assert results[-1] == list(results)[-1]
    assert results[0] in results
    with pytest.raises(IndexError):
        results[20]
    table = results.to_arrow()
    assert isinstance(table, pa.Table)
    assert table["id"].to_pylist() == [hit.id for hit in results]
    assert table["path"].to_pylist() == [hit.path for hit in results]
    np.testing.assert_array_equal(table["score"].to_numpy(), results.scores)
    for name in ("caption", "rating", "tags", "width", "mtime"):
        assert table[name].to_pylist() == [hit.metadata[name] for hit in results]
    assert table["relative_path"].to_pylist() == [hit.metadata["path"] for hit in results]
    assert results.relevant == results, "so small an index cannot say what is relevant"
    assert results.nothing_relevant is False


def test_the_plan_says_how_long_each_step_took(index):
    plan = index.search("red", where="width > 11").plan
    names = [name for name, _ in plan.steps]
    assert names[:2] == ["encode", "filter"]
    assert names[-1] == "metadata"
    assert all(milliseconds >= 0 for _, milliseconds in plan.steps)
    assert plan.survivors == index.sql("select count(*) as n from images where width > 11").to_pylist()[0]["n"]


@pytest.mark.slow
def test_ten_thousand_hits_have_their_own_metadata(make_album):
    """More ids than one IN list holds, in the order of the scores."""
    album = make_album("p", "p.index")
    album.shard("many.parquet", {"image": [encoded(i % 50) for i in range(1200)], "number": list(range(1200))})
    album.build()
    with album.open() as index:
        hits = index.search(vector=np.random.default_rng(3).normal(size=48), k=10_000)
        assert len(hits) == 1200
        assert [hit.metadata["id"] for hit in hits] == hits.ids.tolist()
        assert {hit.metadata["row"]: hit.metadata["number"] for hit in hits} == {i: i for i in range(1200)}
