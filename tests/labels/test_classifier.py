"""Probabilities against the formulas in float64, and prompts against open_clip used directly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clipsearch.errors import UsageError
from clipsearch.labels.classifier import Classifier, from_recipe, to_recipe
from clipsearch.labels.prompts import label_vectors, read_labels, read_templates, require_usable, zero_shot
from clipsearch.models import load_encoder
from clipsearch.store.derive import quietly
from tests.tiny_model import write_tiny
from tests.toy import ToyEncoder

COLOURS = ["red", "green", "blue", "white"]


def vectors(seed: int, count: int, dim: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, dim))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float16)


def made(seed: int, classes: int, scale: float, link: str, dim: int = 8) -> Classifier:
    weights = scale * vectors(seed + 1, classes, dim).astype(np.float32)
    biases = np.random.default_rng(seed).normal(size=classes).astype(np.float32)
    names = tuple(f"label {i}" for i in range(classes))
    return Classifier(names, weights, biases, link, multi=False, each=False, origin="texts")


@given(st.integers(0, 10_000), st.integers(2, 40), st.floats(0.1, 1000))
def test_softmax_sums_to_one_and_is_that_of_float64(seed, classes, scale):
    classifier, x = made(seed, classes, scale, "softmax"), vectors(seed, 5, 8)
    found = classifier.probabilities(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1, dtype=np.float64), 1, atol=1e-5)
    logits = x.astype(np.float64) @ classifier.weights.T.astype(np.float64) + classifier.biases
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), atol=1e-3)


@given(st.integers(0, 10_000), st.integers(1, 10), st.floats(0.1, 1000))
def test_sigmoid_is_that_of_float64(seed, classes, scale):
    classifier, x = made(seed, classes, scale, "sigmoid"), vectors(seed, 5, 8)
    found = classifier.probabilities(x)
    logits = x.astype(np.float64) @ classifier.weights.T.astype(np.float64) + classifier.biases
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), atol=1e-3)
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_a_classifier_comes_back_as_it_was(link):
    classifier = made(3, 5, 50.0, link)
    again = from_recipe(to_recipe(classifier))
    assert again is not None
    assert again.labels == classifier.labels
    assert (again.link, again.multi, again.each, again.origin) == (link, False, False, "texts")
    x = vectors(4, 6, 8)
    assert again.probabilities(x).tobytes() == classifier.probabilities(x).tobytes()


@pytest.mark.parametrize("other", [b"", b"\xff", b"{}", b"\x81\xa4kind\xa5score"])
def test_recipes_of_other_columns_are_none_of_ours(other):
    assert from_recipe(other) is None


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("which", ["openai", "simple"])
def test_label_vectors_are_those_of_open_clip(tiny, which):
    encoder = load_encoder(str(tiny), device="cpu", engine="torch")
    labels = ["dog", "tabby cat"]
    network = encoder.network  # the same network and tokens, so that only the averaging is compared
    templates = {"openai": open_clip.OPENAI_IMAGENET_TEMPLATES, "simple": open_clip.SIMPLE_IMAGENET_TEMPLATES}[which]
    with torch.inference_mode():
        expected = open_clip.build_zero_shot_classifier(
            network, lambda texts: torch.from_numpy(encoder.tokenize(texts)), labels, templates
        )
    found = label_vectors(encoder, labels, read_templates(which), quietly)
    np.testing.assert_allclose(found, expected.T.numpy(), atol=1e-5)


def test_zero_shot_probabilities_are_clip_s_own():
    encoder, x = ToyEncoder(), vectors(1, 20, 48)
    classifier = zero_shot(encoder, COLOURS, ["{}"], multi=False, each=False, tell=quietly)
    logits = encoder.logit_scale * x.astype(np.float64) @ encoder.encode_texts(COLOURS).astype(np.float64).T
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classifier.probabilities(x), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("multi", [True, False])
def test_models_trained_with_a_sigmoid_judge_each_label_by_itself(multi):
    encoder, x = ToyEncoder(), vectors(1, 20, 48)
    encoder.logit_scale, encoder.logit_bias = 20.0, -3.0
    classifier = zero_shot(encoder, COLOURS, ["{}"], multi=multi, each=False, tell=quietly)
    logits = 20.0 * x.astype(np.float64) @ encoder.encode_texts(COLOURS).astype(np.float64).T - 3.0
    np.testing.assert_allclose(classifier.probabilities(x), 1 / (1 + np.exp(-logits)), rtol=1e-3)


def test_where_several_may_apply_a_label_is_weighed_against_something():
    encoder, x = ToyEncoder(), vectors(1, 20, 48)
    classifier = zero_shot(encoder, COLOURS, ["{}"], multi=True, each=False, tell=quietly)
    texts = encoder.encode_texts([*COLOURS, "something"]).astype(np.float64)
    label, anything = (np.exp(encoder.logit_scale * x.astype(np.float64) @ t.T) for t in (texts[:-1], texts[-1:]))
    np.testing.assert_allclose(classifier.probabilities(x), label / (label + anything), rtol=2e-3, atol=1e-6)
    assert classifier.multi
    assert classifier.each


def test_labels_from_a_list_and_from_a_file(tmp_path):
    assert read_labels(" cat,dog , ,cat, big bird") == ("cat", "dog", "big bird")
    file = tmp_path / "cats.txt"
    file.write_text("\ufeffcat\n\n  dog, wet \r\ncat\nÄffchen\n", encoding="utf-8")
    assert read_labels(str(file)) == ("cat", "dog, wet", "Äffchen")
    assert read_labels("dog") == ("dog",)
    assert len(read_labels(",".join(f"label {i}" for i in range(500)))) == 500
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\xfa")
    for wrong in ("", " , ", str(tmp_path / "none.txt"), str(tmp_path / "bytes.txt")):
        with pytest.raises(UsageError, match=r"give some|cannot be read"):
            read_labels(wrong)


def test_templates(tmp_path):
    assert read_templates("openai")[0] == "a bad photo of a {}."
    assert (len(read_templates("openai")), len(read_templates("simple"))) == (80, 7)
    file = tmp_path / "own"
    file.write_text("a {}\n\nno {} at all {}\n")
    assert read_templates(str(file)) == ("a {}", "no {} at all {}")
    with pytest.raises(UsageError, match="no file of templates"):
        read_templates("opnai")
    for labels, templates in ((["a"], ["{}"]), (["a", "b"], []), (["a", "b"], ["{}", "a photo"])):
        with pytest.raises(UsageError):
            require_usable(labels, templates, multi=False)
    require_usable(["a"], ["{}"], multi=True)
