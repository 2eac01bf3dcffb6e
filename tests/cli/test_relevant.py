"""The cut-off on the command line, on the shipped gallery."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

THERE, NOT_THERE = "a sailboat on the sea", "carburettor"


@pytest.fixture
def ask(demo, run):
    return lambda *arguments: run("search", *arguments, "--offline", "--index", demo[0])


def test_what_is_not_there_is_said_so_and_all_lists_it_anyway(ask):
    hidden = ask(NOT_THERE, "-k", 5)
    assert (hidden.code, hidden.out) == (0, "")
    assert hidden.err == "Nothing relevant; --all lists the 5 nearest.\n"
    everything = ask(NOT_THERE, "-k", 5, "--all")
    assert len(everything.out.splitlines()) == 6
    assert everything.err == ""


def test_what_is_there_is_listed_down_to_the_cut_off(ask):
    found = ask(THERE, "-k", 100, "--json")
    answer = found.json
    assert answer["hits"]
    assert all(hit["relevance"] >= 0.5 for hit in answer["hits"])
    assert answer["hidden"] == 100 - len(answer["hits"])
    assert found.err == f"{answer['hidden']} more below the cut-off are not shown; --all lists them.\n"
    assert len(ask(THERE, "-k", 100, "--json", "--all").json["hits"]) == 100


def test_a_query_by_picture_alone_is_never_cut(ask):
    assert len(ask("--like", 5, "-k", 50, "--paths").out.splitlines()) == 50


def test_a_hard_exclusion_leaves_out_what_is_relevant_to_it_and_still_gives_k(ask):
    def found(*arguments):
        return [hit["id"] for hit in ask(*arguments, "--all", "--json").json["hits"]]

    boats = [hit["id"] for hit in ask("a boat", "-k", 572, "--no-templates", "--json").json["hits"]]
    assert boats
    beaches = found("a sandy beach", "-k", 572, "--no-templates")
    without = found("a sandy beach", "-k", 50, "--no-templates", "--not", "a boat")
    assert without == [picture for picture in beaches if picture not in boats][:50]


def test_sorted_within_the_relevant(ask):
    hits = ask(THERE, "-k", 20, "--sort", "bytes", "--json").json["hits"]
    assert len(hits) > 1
    assert [hit["bytes"] for hit in hits] == sorted((hit["bytes"] for hit in hits), reverse=True)
    assert all(hit["relevance"] >= 0.5 for hit in hits)


def test_a_filter_that_nothing_passes_is_said_so(ask):
    found = ask(THERE, "--format", "xyz")
    assert found.code == 0
    assert found.err.startswith("No picture passes the filter;")
    assert len(found.out.splitlines()) == 1
