"""Filters that are refused: in one sentence, whatever they tried, and before anything has happened."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from clipsearch.errors import QueryError
from clipsearch.query.filters import Filter, survivors
from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    """Three pictures with a caption, and columns as a Parquet source brings them."""
    place = tmp_path_factory.mktemp("refused")
    schema = ROW_SCHEMA.append(pa.field("Film Type", pa.string())).append(pa.field("tags", pa.list_(pa.string())))
    rows = [
        {"id": i, "root": "p", "path": f"{i}.jpg", "file": f"{i}.jpg", "width": 640 + i, "height": 480}
        | {"taken_at": datetime(2024, 6, i), "caption": f"picture {i}", "Film Type": "slide", "tags": ["a"]}
        for i in (1, 2, 3)
    ]
    with open_for_writing(place / "x.index", ModelRef("toy", "toy-1", 4)) as writer:
        writer.take_ids(3)
        writer.roots["p"] = Root("p", str(place))
        writer.append(pa.Table.from_pylist(rows, schema=schema), np.tile(np.float16([1, 0, 0, 0]), (3, 1)))
        writer.publish()
    opened = Snapshot(place / "x.index")
    yield opened
    opened.close()


def assert_one_sentence(told) -> str:
    said = str(told.value)
    assert "\n" not in said
    assert said.endswith(".")
    assert ". " not in said
    return said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"where": ""}, "'where' is empty"),
        ({"where": " \n"}, "'where' is empty"),
        ({"folder": ""}, "'folder' is empty"),
        ({"camera": " "}, "'camera' is empty"),
        ({"format": ""}, "'format' is empty"),
        ({"camera": "\udce9"}, "not valid Unicode"),
        ({"where": "caption = '\udce9'"}, "not valid Unicode"),
        ({"after": "yesterday"}, "'after' is 'yesterday', which is no date"),
        ({"before": "2024-13"}, "'before' is '2024-13', which is no date"),
        ({"before": "2024-02-30"}, "which is no date"),
        ({"after": "30.06.2024"}, "which is no date"),
        ({"after": "2024-06-01T25:00"}, "which is no date"),
        ({"after": "0000"}, "which is no date"),
        ({"after": "2024-06-01T12:00+02:00"}, "time zone"),
        ({"before": datetime(2024, 6, 1, tzinfo=UTC)}, "time zone"),
        ({"near": (91, 0, 1)}, "latitude 91 is not between"),
        ({"near": (-90.5, 0, 1)}, "latitude -90.5 is not between"),
        ({"near": (float("nan"), 0, 1)}, "latitude nan"),
        ({"near": (0, 181, 1)}, "longitude 181 is not between"),
        ({"near": (0, float("inf"), 1)}, "longitude inf"),
        ({"near": (0, 0, 0)}, "0 km"),
        ({"near": (0, 0, -3)}, "-3 km"),
        ({"near": (0, 0, float("nan"))}, "nan km"),
        ({"min_size": 0}, "0x0"),
        ({"min_size": (100, -1)}, "100x-1"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_when_made(arguments, says):
    with pytest.raises(QueryError) as told:
        Filter(**arguments)
    assert says in assert_one_sentence(told)


BREAKING_OUT = [
    "true; drop table pictures",
    "; drop table pictures",
    "true;",
    "1=1) union select (1",
    "true) or (true",
    "true)",
    "(true",
    "true /*",
    "true */",
    "'",
    "true union all select true",
    "true except select false",
    "true from images",
    "true from read_csv('{file}')",
    "true where false",
    "true order by id",
    "true limit 1",
    "true group by all",
    "true qualify true",
    "distinct true",
    "true as x",
    "width > 1, true",
    "select true",
    "from images",
    "-- nothing",
    "--\n",
    "\0",
    "true \0 or",
    "install httpfs",
    "true; install httpfs",
    "load httpfs",
    "pragma memory_limit = '1GB'",
    "pragma database_list",
    "set enable_external_access = true",
    "reset all",
    "copy images to '{tmp}/out.csv'",
    "(copy images to '{tmp}/out.csv')",
    "true; copy images to '{tmp}/out.csv'",
    "attach '{tmp}/out.duckdb'",
    "export database '{tmp}/out'",
    "insert into pictures (id) values (99)",
    "(insert into pictures (id) values (99) returning true)",
    "(delete from pictures returning true)",
    "delete from pictures",
    "drop view images",
    "create table x (a int)",
    "checkpoint",
    "begin",
    "call pragma_version()",
    "explain select 1",
]

READING_MORE = [
    "exists (select * from read_csv('{file}'))",
    "id in (select a from read_csv('{file}'))",
    "id in (from read_csv_auto('{file}'))",
    "exists (from read_text('{file}'))",
    "exists (from read_blob('{file}'))",
    "exists (from read_json('{file}'))",
    "exists (from read_parquet('{tmp}/*.parquet'))",
    "exists (from parquet_scan('{tmp}/*.parquet'))",
    "exists (from parquet_metadata('{tmp}/*.parquet'))",
    "exists (from sniff_csv('{file}'))",
    "exists (from glob('{tmp}/*'))",
    "exists (from '{file}')",
    "exists (from read_duckdb('{tmp}/x.duckdb'))",
    "exists (from 'https://example.org/x.parquet')",
    "exists (from read_text('https://example.org/x'))",
    "exists (from read_csv('/etc/passwd'))",
    "exists (from query('select 1'))",
    "exists (from query_table('images'))",
    "exists (from duckdb_settings())",
    "exists (from duckdb_secrets())",
    "exists (from pragma_database_list())",
    "exists (from json_execute_serialized_sql('x'))",
    "exists (from arrow_table)",
    "width > (select avg(width) from images)",
    "array(select a from read_csv('{file}')) = [1]",
    "(from read_text('{file}')) is not null",
    "case when width > 1 then exists (from read_text('{file}')) end",
    "struct_pack(a := (select 1)).a = 1",
    "len(list_filter([1], lambda x: x in (select 1))) = 1",
    "columns(lambda c: c in (select 'width')) > 0",
    "width > 1 and not exists (with a as (from read_text('{file}')) from a)",
    "read_text('{file}') is not null",
    "read_csv('{file}') is not null",
    "glob('{tmp}/*') is not null",
    "read_text('/etc/passwd') like 'root%'",
    "getenv('HOME') is not null",
    "query('select 1') is not null",
    "pragma_version() is not null",
    "json_execute_serialized_sql('x') is not null",
    "nextval('x') > 0",
    "? = 1",
    "$a = 1",
]


@pytest.mark.parametrize("sql", [*BREAKING_OUT, *READING_MORE])
def test_more_than_a_condition_on_a_picture_is_refused(snapshot, tmp_path, sql):
    file = tmp_path / "secret.csv"
    file.write_text("a\n1\n")
    arrow_table = pa.table({"id": [1]})  # a replacement scan would find it
    before = snapshot.catalog.query("select * from pictures order by id")
    with pytest.raises(QueryError) as told:
        survivors(snapshot, sql.format(tmp=tmp_path, file=file))
    said = str(told.value)
    assert "\n" not in said
    assert said.endswith(".")
    assert "secret" not in said.replace(sql.format(tmp=tmp_path, file=file), "").replace(str(file), "")
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    assert snapshot.catalog.query("select * from pictures order by id").equals(before)
    assert snapshot.catalog.fetch("select current_setting('enable_external_access')") == [(False,)]
    assert len(arrow_table) == 1


def test_every_file_function_of_duckdb_is_out_of_reach(snapshot, tmp_path):
    """Whatever table functions this DuckDB brings, none is callable from a filter."""
    names = [
        name
        for (name,) in snapshot.catalog.fetch(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'table' ORDER BY 1"
        )
    ]
    assert {"read_csv", "read_text", "glob"} <= set(names)
    for name in names:
        for sql in (f"exists (from \"{name}\"('{tmp_path}'))", f'exists (select * from "{name}"())'):
            with pytest.raises(QueryError, match="no subquery"):
                survivors(snapshot, sql)


def test_deep_nesting_is_refused_and_not_a_crash(snapshot):
    for sql in ("(" * 5000 + "true" + ")" * 5000, "not " * 20000 + "true", "case when " * 3000):
        with pytest.raises(QueryError) as told:
            survivors(snapshot, sql)
        assert_one_sentence(told)


@pytest.mark.parametrize(
    ("sql", "meant"),
    [
        ("wdith > 2000", "width"),
        ("Widht > 2000", "width"),
        ("images.wdith > 1", "width"),
        ("captoin ilike '%dog%'", "caption"),
        ("taken > date '2024-06-01'", "taken_at"),
        ("film_type = 'slide'", "Film Type"),
    ],
)
def test_a_wrong_column_is_told_with_those_there_are(snapshot, sql, meant):
    with pytest.raises(QueryError) as told:
        survivors(snapshot, sql)
    said = assert_one_sentence(told)
    assert said.startswith("There is no column ")
    assert f"(did you mean {meant}?)" in said
    listed = said.partition("the columns are ")[2].rstrip(".").split(", ")
    assert listed == snapshot.catalog.query("select * from images limit 0").column_names


def test_a_column_like_none_gets_no_suggestion(snapshot):
    with pytest.raises(QueryError) as told:
        survivors(snapshot, "qqqq = 1 and width > 3")
    assert "did you mean" not in assert_one_sentence(told)


@pytest.mark.parametrize(
    "sql",
    [
        "caption > 3",
        "width = 'wide'",
        "width > date '2024-01-01'",
        "taken_at > 'June'",
        "latitude = true and mtime > 3",
        "width + caption > 3",
        "round(caption) = 1",
        "list_contains(width, 3)",
    ],
)
def test_a_wrong_type_is_told_with_the_types_there_are(snapshot, sql):
    with pytest.raises(QueryError) as told:
        survivors(snapshot, sql)
    said = assert_one_sentence(told)
    assert said.startswith("The filter does not fit the types of the columns (")
    assert "width INTEGER, height INTEGER" in said
    assert "caption VARCHAR" in said


@pytest.mark.parametrize("sql", ["width", "'dog'", "null", "caption", "*", "width + 1", "tags", "(width > 1, true)"])
def test_what_is_neither_true_nor_false_is_refused(snapshot, sql):
    with pytest.raises(QueryError, match="neither true nor false") as told:
        survivors(snapshot, sql)
    assert_one_sentence(told)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("width >", "not one SQL condition"),
        ("caption ilike '%dog%' and", "not one SQL condition"),
        ("widthh(3) = 1", "no function 'widthh'"),
        ("count(*) > 1", "aggregates"),
        ("sum(width) over () > 1", "window"),
        ("width * 1000000000 > 1", "Overflow"),
        ("regexp_matches(caption, '(')", "cannot be used"),
        ("error('two\nlines') = 1", "two lines"),
    ],
)
def test_other_mistakes_are_one_sentence_too(snapshot, sql, says):
    with pytest.raises(QueryError) as told:
        survivors(snapshot, sql)
    assert says in assert_one_sentence(told)
