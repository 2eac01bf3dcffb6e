"""`Index.sql`: reading the catalog, and nothing else."""

from __future__ import annotations

import pytest

from clipsearch.errors import QueryError


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    from tests.conftest import Album

    place = tmp_path_factory.mktemp("sql")
    album = Album(place / "photos", place / "photos.index")
    album.paint_many(5)
    album.put("bad.png", b"x")
    album.build()
    with album.open() as index:
        yield index


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select count(*) as n from images", [{"n": 5}]),
        ("select count(*) as n from images;", [{"n": 5}]),
        ("-- a remark\nselect path from images order by path limit 1", [{"path": "p000.png"}]),
        ("with x as (select 1 as a) select * from x", [{"a": 1}]),
        ("select reason from failures", [{"reason": "not a picture"}]),
        ("from images select max(width) as w", [{"w": 12}]),
        ("values (1, 2)", [{"col0": 1, "col1": 2}]),
    ],
)
def test_reading(index, statement, expected):
    assert index.sql(statement).to_pylist() == expected


def test_looking_around(index):
    names = {row["name"] for row in index.sql("show tables").to_pylist()}
    assert {"images", "pictures", "failures"} <= names
    assert index.sql("describe images").num_rows == len(index.sql("select * from images").column_names)
    assert index.sql("explain select 1").num_rows > 0


@pytest.mark.parametrize(
    "statement",
    [
        "",
        ";",
        "selekt 1",
        "select * from nothing",
        "select nothing from images",
        "select 1; select 2",
        "select 1; drop table pictures",
        "insert into pictures (id) values (99)",
        "insert into pictures (id) values (99) returning id",
        "update pictures set path = 'x'",
        "delete from pictures",
        "delete from pictures returning id",
        "truncate pictures",
        "drop view images",
        "create table t (a int)",
        "create or replace view images as select 1",
        "alter table pictures add column x int",
        "attach '{tmp}/x.duckdb'",
        "detach photos",
        "copy pictures to '{tmp}/x.csv'",
        "copy (select 1) to '{tmp}/x.parquet'",
        "export database '{tmp}/x'",
        "select * from read_csv('{file}')",
        "select * from read_text('{file}')",
        "select * from read_blob('{file}')",
        "select * from glob('{tmp}/*')",
        "select * from '{file}'",
        "select * from parquet_scan('{tmp}/*.parquet')",
        "install httpfs",
        "load httpfs",
        "select * from 'https://example.org/x.parquet'",
        "set memory_limit = '1GB'",
        "set enable_external_access = true",
        "pragma enable_external_access = true",
        "pragma memory_limit = '1GB'",
        "reset all",
        "checkpoint",
        "begin",
        "use memory",
    ],
)
def test_anything_else_is_refused(index, tmp_path, statement):
    file = tmp_path / "secret.csv"
    file.write_text("a\n1\n")
    before = index.sql("select * from pictures order by id")
    with pytest.raises(QueryError) as raised:
        index.sql(statement.format(tmp=tmp_path, file=file))
    assert "\n" not in str(raised.value)
    assert [p.name for p in tmp_path.iterdir()] == ["secret.csv"]
    assert index.sql("select * from pictures order by id").equals(before)


def test_python_variables_are_out_of_reach(index):
    import pyarrow as pa

    statements = rows = db = sql = pa.table({"a": [1]})  # noqa: F841 - a replacement scan would find them
    for name in ("statements", "rows", "db", "sql"):
        with pytest.raises(QueryError):
            index.sql(f"select * from {name}")
