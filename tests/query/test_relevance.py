"""Relevance of hits, by value against brute force, and on the shipped gallery."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from clipsearch.query.embed import text_vectors
from clipsearch.query.relevance import CUT_OFF, relevance
from clipsearch.store import background as bg
from clipsearch.store.probes import Probes
from clipsearch.store.snapshot import Snapshot

DIM = 32


def directions(count: int, seed: int, shift: float) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, DIM))
    values[:, 0] += shift
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def stored():
    return directions(600, 1, 4.0)


@pytest.fixture(scope="module")
def probes():
    return directions(200, 2, -3.0)


@pytest.fixture(scope="module")
def background(stored, probes):
    return bg.measure(stored, Probes(probes, "d"), rows=600, next_id=601)


def asked(background, query, stored, rows, *, pictures=600, has_text=True):
    hits = stored[rows]
    return relevance(background, query, hits @ query, hits, pictures, has_text=has_text)


@pytest.mark.parametrize("has_text", [True, False])
def test_relevance_is_what_the_formula_says(background, stored, probes, has_text):
    query = directions(1, 7, -3.0)[0]
    x, q = stored.astype(np.float64), query.astype(np.float64)
    asked_of = probes.astype(np.float64) if has_text else x
    scores = x @ q
    by_query = (scores - scores.mean()) / scores.std()
    of_pictures = x @ asked_of.T
    by_picture = (scores - of_pictures.mean(axis=1)) / of_pictures.std(axis=1)
    peaks = (background.by_text if has_text else background.by_picture).peaks
    # 600 pictures were measured as one block of 600, so that nothing is extrapolated.
    assert peaks.pictures == 600
    below = np.exp(-np.exp(-((by_query + by_picture) / 2 - peaks.location) / peaks.scale))
    got = asked(background, query, stored, np.arange(600), has_text=has_text)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, below, atol=5e-3)


def test_three_in_ten_unrelated_queries_reach_the_cut_off(background, stored):
    unseen = directions(1000, 11, -3.0)
    reached = []
    for query in unseen:
        best = np.argsort(-(stored @ query))[:10]
        reached.append(asked(background, query, stored, best).max() >= CUT_OFF)
    assert 0.2 < np.mean(reached) < 0.4


def test_a_query_that_fits_a_picture_is_told_from_one_that_fits_none(background, stored):
    plain = directions(1, 13, -3.0)[0]
    own = stored[77] - background.pictures.mean  # what sets the picture apart from the others
    blend = plain + 2.5 * own
    fitting = (blend / np.linalg.norm(blend)).astype(np.float32)
    found = asked(background, fitting, stored, np.arange(600))
    assert int(found.argmax()) == 77
    assert found[77] > 0.95
    assert np.median(found) < 0.01


def test_more_pictures_make_the_same_hit_less_remarkable(background, stored):
    query, rows = directions(1, 17, -3.0)[0], np.arange(600)
    few, many = (asked(background, query, stored, rows, pictures=n) for n in (60, 600_000))
    assert (few >= many).all()
    assert few.max() > many.max() + 0.1


def test_relevances_follow_their_hits(background, stored):
    query, rows = directions(1, 19, -3.0)[0], np.array([5, 400, 17, 3])
    turned = asked(background, query, stored, rows[::-1])[::-1]
    np.testing.assert_allclose(asked(background, query, stored, rows), turned, atol=1e-6)


def test_stored_and_full_precision_agree(background, stored):
    query, rows = directions(1, 23, -3.0)[0], np.arange(50)
    hits = stored[rows].astype(np.float16)
    got = relevance(background, query, stored[rows] @ query, hits, 600, has_text=True)
    np.testing.assert_allclose(got, asked(background, query, stored, rows), atol=0.02)


def test_no_hits_have_no_relevance(background, stored):
    got = asked(background, stored[0], stored, np.array([], dtype=np.intp), pictures=0)
    assert got.shape == (0,)


def test_an_index_that_cannot_say_does_not(stored, probes):
    query, rows = stored[0], np.arange(10)
    few = bg.measure(stored[: bg.MIN_PICTURES - 1], Probes(probes, "d"), rows=49, next_id=50)
    no_probes = bg.measure(stored, None, rows=600, next_id=601)
    for background, has_text in ((None, True), (None, False), (few, True), (few, False), (no_probes, True)):
        assert asked(background, query, stored, rows, has_text=has_text) is None
    assert asked(no_probes, query, stored, rows, has_text=False) is not None
    enough = bg.measure(stored[: bg.MIN_PICTURES], Probes(probes, "d"), rows=50, next_id=51)
    assert asked(enough, query, stored, rows) is not None


# On real vectors: the shipped gallery.


@pytest.fixture(scope="module")
def shown(demo):
    """Vectors of the gallery's pictures, and their background."""
    with closing(Snapshot(demo[0])) as snapshot:
        yield snapshot.vectors_of(snapshot.places.ids()).astype(np.float32), snapshot.background


def best(mini, shown, text):
    vectors, background = shown
    [query] = text_vectors(mini, [text])
    rows = np.argsort(-(vectors @ query))[:10]
    return asked(background, query, vectors, rows, pictures=len(vectors)).max()


@pytest.mark.parametrize(
    "text",
    ["two dogs in the snow", "a red car at the beach", "a sailboat on the sea at sunset", "penguins in the snow"],
)
def test_what_the_gallery_shows_is_relevant(mini, shown, text):
    assert best(mini, shown, text) >= CUT_OFF


@pytest.mark.parametrize(
    "text", ["a tax return form", "a screenshot of a website", "a parliamentary debate", "bacteria under a microscope"]
)
def test_what_it_does_not_show_is_not(mini, shown, text):
    assert best(mini, shown, text) < CUT_OFF
