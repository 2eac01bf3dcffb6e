"""The cut-off on the command line, as a process of its own, on the shipped gallery."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import clipsearch
from clipsearch.cli.commands.demo import gallery_folder

pytestmark = pytest.mark.slow

THERE, NOT_THERE = "a sailboat on the sea", "carburettor"


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    place = tmp_path_factory.mktemp("gallery") / "gallery.index"
    clipsearch.build(gallery_folder(), place, model="mini", offline=True)

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "clipsearch", "search", *map(str, arguments), "--offline", "--index", place]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return call


def test_what_is_not_there_is_said_so_and_all_lists_it_anyway(ask):
    hidden = ask(NOT_THERE, "-k", 5)
    assert (hidden.returncode, hidden.stdout) == (0, "")
    assert hidden.stderr == "Nothing relevant; --all lists the 5 nearest.\n"
    everything = ask(NOT_THERE, "-k", 5, "--all")
    assert len(everything.stdout.splitlines()) == 6
    assert everything.stderr == ""


def test_what_is_there_is_listed_down_to_the_cut_off(ask):
    found = ask(THERE, "-k", 100, "--json")
    answer = json.loads(found.stdout)
    assert answer["hits"]
    assert all(hit["relevance"] >= 0.5 for hit in answer["hits"])
    assert answer["hidden"] == 100 - len(answer["hits"])
    assert found.stderr == f"{answer['hidden']} more below the cut-off are not shown; --all lists them.\n"
    assert len(json.loads(ask(THERE, "-k", 100, "--json", "--all").stdout)["hits"]) == 100


def test_a_query_by_picture_alone_is_never_cut(ask):
    assert len(ask("--like", 5, "-k", 50, "--paths").stdout.splitlines()) == 50


def test_a_hard_exclusion_leaves_out_what_is_relevant_to_it_and_still_gives_k(ask):
    def found(*arguments):
        return [hit["id"] for hit in json.loads(ask(*arguments, "--all", "--json").stdout)["hits"]]

    sunsets = [hit["id"] for hit in json.loads(ask("a sunset", "-k", 572, "--no-templates", "--json").stdout)["hits"]]
    assert sunsets
    beaches = found("a sandy beach", "-k", 572, "--no-templates")
    without = found("a sandy beach", "-k", 50, "--no-templates", "--not", "a sunset")
    assert without == [picture for picture in beaches if picture not in sunsets][:50]


def test_sorted_within_the_relevant(ask):
    hits = json.loads(ask(THERE, "-k", 20, "--sort", "bytes", "--json").stdout)["hits"]
    assert len(hits) > 1
    assert [hit["bytes"] for hit in hits] == sorted((hit["bytes"] for hit in hits), reverse=True)
    assert all(hit["relevance"] >= 0.5 for hit in hits)


def test_a_filter_that_nothing_passes_is_said_so(ask):
    found = ask(THERE, "--format", "xyz")
    assert found.returncode == 0
    assert found.stderr.startswith("No picture passes the filter;")
    assert len(found.stdout.splitlines()) == 1
