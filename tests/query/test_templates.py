"""Prompt templates: for bare concepts, never for sentences, and no harm to what mini finds."""

from __future__ import annotations

import re

import numpy as np
import pytest

from clipsearch.query.embed import text_vectors
from clipsearch.query.templates import TEMPLATES, prompts


@pytest.mark.parametrize("concept", ["horse", "striped horse", "old red car", "T-shirt", "911 turbo"])
@pytest.mark.parametrize("article", ["", "a ", "an ", "the ", "The "])
def test_a_concept_is_asked_for_in_several_ways(concept, article):
    assert prompts(article + concept) == [template.format(concept) for template in TEMPLATES]


@pytest.mark.parametrize(
    "text",
    [
        "two dogs in the snow",
        "a dog on a beach",
        "a photo of a dog",
        "dog, cat",
        "dog?",
        "a dog.",
        "狗",
        "ein Löwe",
        "犬と猫が草原で遊んでいる",
    ],
)
def test_anything_else_is_taken_word_for_word(text):
    assert prompts(text) == [text]


def test_they_can_be_switched_off():
    assert prompts("horse", templates=False) == ["horse"]


def test_a_text_is_the_normalised_mean_over_its_prompts(mini):
    [got] = text_vectors(mini, ["horse"])
    mean = mini.encode_texts([template.format("horse") for template in TEMPLATES]).mean(axis=0)
    np.testing.assert_allclose(got, mean / np.linalg.norm(mean), atol=1e-6)
    np.testing.assert_allclose(text_vectors(mini, ["horse"], templates=False), mini.encode_texts(["horse"]), atol=1e-6)


def test_many_texts_give_what_each_gives_alone(mini):
    texts = ["horse", "two dogs in the snow", "horse", "red car", "a rocket in space"]
    together = text_vectors(mini, texts)
    alone = np.concatenate([text_vectors(mini, [text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.slow
def test_templates_do_not_hurt_what_mini_finds_in_the_gallery(gallery, mini):
    """Mean average precision of every word that 4 captions or more contain, but not a third of them."""
    rows = gallery.sql("select id, lower(caption) as caption from images where caption is not null").to_pylist()
    pictures = gallery.vectors([row["id"] for row in rows]).astype(np.float32)
    words = [set(re.findall("[a-z]+", row["caption"])) for row in rows]
    asked = sorted(
        word for word in set.union(*words) if len(word) > 2 and 4 <= sum(word in s for s in words) <= 0.3 * len(rows)
    )
    assert len(asked) > 50
    matches = np.array([[word in shown for shown in words] for word in asked])

    def precision(vectors):
        order = np.argsort(-(vectors @ pictures.T), axis=1)
        found = np.take_along_axis(matches, order, axis=1)
        at = found.cumsum(axis=1) / np.arange(1, len(rows) + 1)
        return float(np.mean([at[i][found[i]].mean() for i in range(len(asked))]))

    with_templates = precision(text_vectors(mini, asked))
    without = precision(text_vectors(mini, asked, templates=False))
    assert with_templates >= without - 0.002
