from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsearch.evaluation.foils import FOILS, attributes, numbers, order, roles, sides


@pytest.mark.parametrize(
    ("change", "text", "foil"),
    [
        (attributes, "A red car beside a blue house.", "A blue car beside a red house."),
        (attributes, "Red and red and Green", "Green and red and Red"),
        (attributes, "a big dog and a small cat", "a small dog and a big cat"),
        (attributes, "a red car and a red house", None),
        (attributes, "a reddish car and a blue house", None),
        (sides, "A dog to the left of a tree", "A dog to the right of a tree"),
        (sides, "Behind the house a car", "In front of the house a car"),
        (sides, "From left to right a cat and a dog", "From right to left a cat and a dog"),
        (sides, "a leftover pizza", None),
        (roles, "A cat on a mat.", "A mat on a cat."),
        (roles, "a man in front of a red car", "a red car in front of a man"),
        (roles, "In the sea a fish", None),
        (roles, "a cat and a dog", None),
        (numbers, "a dog", None),
        (numbers, "often a dog", None),
        (order, "a a dog", None),
    ],
)
def test_a_text_is_changed_in_one_way(change, text, foil):
    assert change(text, Random(0)) == foil


@given(st.integers(), st.sampled_from(["two", "seven", "ten"]))
def test_a_number_becomes_another_number(seed, number):
    foil = numbers(f"{number.capitalize()} dogs and one cat", Random(seed))
    first, rest = foil.split(" ", 1)
    assert rest == "dogs and one cat"
    assert first.lower() in ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    assert first.lower() != number
    assert first[0].isupper()


@given(st.text(alphabet="ab c.", max_size=30), st.integers())
def test_shuffled_texts_keep_their_words(text, seed):
    foil = order(text, Random(seed))
    if foil is None:
        assert len(set(text.split())) < 3
    else:
        assert foil != " ".join(text.split())
        assert Counter(foil.split()) == Counter(text.split())


@given(st.text(max_size=60), st.sampled_from(sorted(FOILS)))
def test_a_foil_is_never_the_text_itself(text, name):
    assert FOILS[name].change(text, Random(0)) != text
