"""Terms, their arithmetic, and the query they make."""

from __future__ import annotations

import numpy as np
import pytest

from clipsearch import Query, image, stored, text, vector
from clipsearch.errors import QueryError


def weights(query):
    return [(term.kind, term.value, pytest.approx(term.weight)) for term in Query(query).terms]


def test_arithmetic_makes_weights():
    asked = text("horse") + 0.7 * text("stripes") + 0.5 * image("savanna.jpg") - 0.4 * text("grass")
    assert weights(asked) == [
        ("text", "horse", 1),
        ("text", "stripes", 0.7),
        ("image", "savanna.jpg", 0.5),
        ("text", "grass", -0.4),
    ]


def test_the_long_form_is_the_same():
    short = "horse" + image("a.jpg") * 0.5 - (stored(3) + 2 * text("grass")) * 0.25
    long = Query("horse", image("a.jpg", 0.5), stored(3, -0.25), -0.5 * text("grass"))
    assert weights(short) == weights(long)


@pytest.mark.parametrize("factor", [3, 0.5, -2, np.float32(0.25), np.int64(2), np.float64(1e-3)])
def test_a_number_of_any_kind_times_a_term_or_a_query(factor):
    for product in (
        factor * text("a"),
        text("a") * factor,
        factor * (text("a") + text("b")),
        (text("a") + "b") * factor,
    ):
        assert {term.weight for term in Query(product).terms} == {float(factor)}


def test_unless_is_kept_through_arithmetic():
    asked = Query("beach", unless="people") + 0.5 * Query("sea", unless=("boats", "text watermark"))
    assert asked.unless == ("people", "boats", "text watermark")
    assert [term.weight for term in asked.terms] == [1, 0.5]


def test_only_a_text_makes_a_query_with_a_text():
    assert Query(image("a.jpg"), "horse").has_text
    assert not Query(image("a.jpg"), stored(1), vector([1.0])).has_text


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: text(""),
        lambda: text(" \n"),
        lambda: text(None),
        lambda: text("a", float("nan")),
        lambda: text("a") * float("inf"),
        lambda: Query(12),
        lambda: Query(None),
        lambda: Query(np.ones(3)),
        lambda: text("a") + 1,
    ],
)
def test_what_is_no_query_is_refused_in_a_sentence(wrong):
    with pytest.raises(QueryError, match=r"[.;]"):
        wrong()
