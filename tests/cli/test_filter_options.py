"""The filter options of the command line."""

from __future__ import annotations

import pytest

from clipsearch.cli.filter_options import filter_from
from clipsearch.errors import UsageError
from clipsearch.query.filters import Filter
from clipsearch.query.index import Index


def test_options_of_the_command_line_make_the_same_filter():
    made = filter_from(
        where="width > 3", folder="a", after="2024", before="2025", camera="c", near=" 48.1, -11.5,20", format="jpg"
    )
    assert made == Filter("width > 3", "a", "2024", "2025", "c", (48.1, -11.5, 20.0), "jpg")
    assert filter_from(min_size="1920x1080") == filter_from(min_size=" 1920 X 1080 ") == Filter(min_size=(1920, 1080))
    assert filter_from(min_size="1024") == Filter(min_size=1024)
    assert not filter_from()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"near": "48.1,11.5"}, "--near is '48.1,11.5'"),
        ({"near": "north,11.5,20"}, "--near is"),
        ({"near": "91,11.5,20"}, "latitude 91"),
        ({"near": "nan,11.5,20"}, "latitude nan"),
        ({"min_size": "big"}, "--min-size is 'big'"),
        ({"min_size": "10x"}, "--min-size is"),
        ({"min_size": "0"}, "0x0"),
        ({"after": "soon"}, "no date"),
        ({"camera": ""}, "empty"),
    ],
)
def test_options_that_cannot_be_read_are_wrong_usage(options, says):
    with pytest.raises(UsageError) as told:
        filter_from(**options)
    assert says in str(told.value)
    assert "\n" not in str(told.value)


@pytest.fixture(scope="module")
def index(photos):
    return photos / ".clipsearch"


@pytest.fixture(scope="module")
def one(index):
    """Any picture's id: a query that needs no model."""
    with Index(index) as opened:
        return opened.sql("select min(id) as id from images where path like 'a/%'").to_pylist()[0]["id"]


def found(result) -> set[str]:
    assert result.code == 0
    assert bool(result.err) == (not result.out)  # that nothing passes is said
    return {line.rpartition("/")[2] for line in result.out.splitlines()}


A = {"blue.png", "yellow.png", "black.png", "purple.png"}
B = {"red.png", "green.png", "white.png", "orange.png"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--where", "path like 'b/%'"], B),
        (["--folder", "b"], B),
        (["--folder", "photos/b"], B),
        (["--folder", "b", "--where", "path ilike '%RED%' or path ilike '%black%'"], {"red.png"}),
        (["--format", "PNG", "--min-size", "64x48", "--folder", "b"], B),
        (["--min-size", "49"], set()),
        (["--camera", "canon"], set()),
        (["--near", "0,0,100"], set()),
        (["--before", "1999"], set()),
        (["--after", "2000", "--folder", "b"], B),
    ],
)
def test_only_pictures_that_pass_are_found(run, index, one, options, expected):
    result = run("search", "--like", one, "-k", 8, "--paths", "--all", *options, "--index", index)
    assert found(result) == expected


def test_filtered_or_not_k_are_given_while_there_are_k(run, index, one):
    hits = run("search", "--like", one, "-k", 3, "--folder", "a", "--json", "--index", index).json["hits"]
    assert len(hits) == 3
    assert one not in [hit["id"] for hit in hits]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--where", "true; drop table pictures"], 1, "not one SQL condition"),
        (["--where", "copy images to 'x.csv'"], 1, "not one SQL condition"),
        (["--where", "install httpfs"], 1, "not one SQL condition"),
        (["--where", "pragma memory_limit = '1GB'"], 1, "not one SQL condition"),
        (["--where", "1=1) union select (1"], 1, "not one SQL condition"),
        (["--where", "exists (from read_csv('/etc/passwd'))"], 1, "no subquery"),
        (["--where", "wdith > 3"], 1, "did you mean width?"),
        (["--where", "caption > 3"], 1, "caption VARCHAR"),
        (["--where", "width"], 1, "neither true nor false"),
        (["--where", ""], 2, "empty"),
        (["--folder", "/nowhere/at/all"], 1, "outside what this index holds"),
        (["--after", "soon"], 2, "no date"),
        (["--near", "48,11"], 2, "--near is '48,11'"),
        (["--near", "91,11,1"], 2, "latitude 91"),
        (["--min-size", "big"], 2, "--min-size is 'big'"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_a_code(run, index, one, options, code, says):
    result = run("search", "--like", one, *options, "--index", index)
    assert (result.code, result.out) == (code, "")
    assert says in result.err
    assert result.err.count("\n") == 1
