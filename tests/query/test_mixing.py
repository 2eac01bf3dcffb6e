"""A mix of a text and a picture is a mix: neither drowns the other. A plain sum fails the very same test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipsearch import image, stored, text, vector
from clipsearch.errors import QueryError
from clipsearch.query.mixing import mix, rocchio, unit

PAIRS = 80


def units(values):
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def rank_correlation(one, other):
    """Spearman's, row by row."""
    ranks = [np.argsort(np.argsort(scores, axis=1), axis=1) for scores in (one, other)]
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(*ranks, strict=True)])


def balanced(mixed, by_text, by_picture):
    """The share of pairs whose mixed ranking follows the text's and the picture's alike, to 0.1 in rank correlation."""
    difference = rank_correlation(mixed, by_text) - rank_correlation(mixed, by_picture)
    return float((np.abs(difference) < 0.1).mean())


class Cones:
    """Pictures around one axis and texts around another, as the two towers of CLIP place them: what is shown makes up
    most of a picture's vector and little of a text's, whose inner products with the pictures spread less."""

    def __init__(self, pictures=2000, dim=48):
        rng = np.random.default_rng(0)

        def cone(count, axis, width):
            shown = units(rng.normal(size=(count, dim)))
            return units(np.hstack([np.eye(2)[[axis] * count], width * shown]))

        self.pictures, self.texts = cone(pictures, 0, 1.0), cone(PAIRS, 1, 0.2)
        self.covariance = np.cov(self.pictures.T, bias=True)

    def spread(self, vector):
        return float(np.sqrt(vector @ self.covariance @ vector))


def test_spread_in_cones():
    cones = Cones()
    mixed, plain = [], []
    for words, picture in zip(cones.texts, cones.pictures[:PAIRS], strict=True):
        assert cones.spread(picture) > 3 * cones.spread(words)
        mixed.append(mix(np.stack([words, picture]), [1, 1], cones.spread))
        plain.append(mix(np.stack([words, picture]), [1, 1]))
    by_text, by_picture = cones.texts @ cones.pictures.T, cones.pictures[:PAIRS] @ cones.pictures.T
    assert balanced(np.stack(mixed) @ cones.pictures.T, by_text, by_picture) > 0.95
    assert balanced(np.stack(plain) @ cones.pictures.T, by_text, by_picture) < 0.05


def all_scores(index, queries):
    """Scores of every picture for each query, [queries, pictures], in the order of the ids."""
    found = index.search_many(queries, k=len(index), templates=False)
    return np.stack([one.scores[np.argsort(one.ids)] for one in found])


@pytest.mark.slow
def test_half_and_half_with_mini_in_the_gallery(gallery, mini):
    rng = np.random.default_rng(1)
    rows = gallery.sql("select id, caption from images order by id").to_pylist()
    captions = [row["caption"] for row in rows if row["caption"]]
    sentences = [captions[i] for i in rng.integers(0, len(captions), PAIRS)]
    pictures = [rows[i]["id"] for i in rng.integers(0, len(rows), PAIRS)]
    by_text = all_scores(gallery, [text(sentence) for sentence in sentences])
    by_picture = all_scores(gallery, [stored(picture) for picture in pictures])
    mixed = all_scores(gallery, [text(s, 0.5) + stored(p, 0.5) for s, p in zip(sentences, pictures, strict=True)])
    sums = mini.encode_texts(sentences) + gallery.vectors(pictures).astype(np.float32)
    plain = all_scores(gallery, [vector(one) for one in sums])
    assert balanced(mixed, by_text, by_picture) > 0.95
    assert balanced(plain, by_text, by_picture) < 0.85


@pytest.mark.slow
def test_weights_shift_the_balance_and_negative_ones_push_away(gallery):
    picture = gallery.search("beach", k=1)[0].id
    by_text, by_picture = (all_scores(gallery, [one]) for one in (text("a rocket in space"), stored(picture)))
    shares = [0.1, 0.3, 0.5, 0.7, 0.9]
    mixed = all_scores(gallery, [text("a rocket in space", s) + stored(picture, 1 - s) for s in shares])
    assert (np.diff(rank_correlation(mixed, np.repeat(by_text, 5, axis=0))) > 0).all()
    assert (np.diff(rank_correlation(mixed, np.repeat(by_picture, 5, axis=0))) < 0).all()
    away = all_scores(gallery, [text("a rocket in space") - 0.5 * stored(picture)])
    assert rank_correlation(away, by_picture)[0] < rank_correlation(by_text, by_picture)[0] - 0.2


@pytest.mark.slow
def test_a_single_term_scores_its_plain_cosine_whatever_its_weight(gallery, mini):
    sentence = "three camels in a sandy desert"
    [words] = mini.encode_texts([sentence])
    for weight in (1, 0.3, 20):
        hit = gallery.search(text(sentence, weight), k=1)[0]
        assert hit.score == pytest.approx(float(words @ gallery.vectors([hit.id])[0].astype(np.float32)), abs=1e-4)


vectors = st.integers(1, 6).flatmap(
    lambda n: st.lists(
        st.lists(st.floats(-1, 1, width=32), min_size=5, max_size=5).filter(lambda v: np.abs(v).max() > 0.1),
        min_size=n,
        max_size=n,
    )
)


@settings(deadline=None)
@given(vectors, st.data())
def test_the_mix_is_the_sum_of_standard_scores(rows, data):
    given_vectors = units(np.array(rows))
    weights = data.draw(st.lists(st.floats(0.1, 2), min_size=len(rows), max_size=len(rows)))
    spreads = data.draw(st.lists(st.floats(0.01, 1), min_size=len(rows), max_size=len(rows)))
    by_row = {vector.tobytes(): spread for vector, spread in zip(given_vectors, spreads, strict=True)}
    expected = sum(
        w * v.astype(np.float64) / (by_row[v.tobytes()] if len(rows) > 1 else 1)
        for w, v in zip(weights, given_vectors, strict=True)
    )
    parts = [w / by_row[v.tobytes()] for w, v in zip(weights, given_vectors, strict=True)]
    if np.linalg.norm(expected) < 1e-2 * max(parts):
        return
    got = mix(given_vectors, weights, lambda v: by_row[v.tobytes()])
    np.testing.assert_allclose(got, expected / np.linalg.norm(expected), atol=1e-3)


def test_without_a_meaningful_spread_weights_count_as_they_are():
    one, other = np.eye(2, dtype=np.float32)
    for spread in (None, lambda _: 1e-6, lambda v: 0.0 if v[0] else 0.5):
        np.testing.assert_allclose(mix(np.stack([one, other]), [3, 4], spread), [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize(
    ("weights", "says"), [([0, 0], "weight"), ([1, -1], "cancel"), ([0.3, -0.3], "cancel"), ([], "weight")]
)
def test_nothing_left_is_a_sentence(weights, says):
    same = np.repeat(unit(np.array([1.0, 2.0, 3.0]))[None], 2, axis=0)
    with pytest.raises(QueryError, match=says):
        mix(same, weights, lambda _: 0.1)


def test_rocchio_is_the_formula():
    rng = np.random.default_rng(2)
    asked, *others = units(rng.normal(size=(6, 8)))
    liked, unliked = np.stack(others[:3]), np.stack(others[3:])
    expected = asked + 0.75 * unit(liked.mean(axis=0)) - 0.15 * unit(unliked.mean(axis=0))
    np.testing.assert_allclose(rocchio(asked, liked, unliked), unit(expected), atol=1e-6)
    none = np.empty((0, 8), np.float32)
    np.testing.assert_allclose(rocchio(asked, none, none), asked, atol=1e-6)
    np.testing.assert_allclose(rocchio(None, liked, none), unit(liked.mean(axis=0)), atol=1e-6)


@pytest.mark.slow
def test_feedback_moves_the_answer(gallery):
    """Liking pictures of the beach brings more of them for another text; not liking them brings fewer."""
    seaside = [hit.id for hit in gallery.search("a sandy beach", k=8)]
    direction = gallery.vectors(seaside).astype(np.float32).mean(axis=0)

    def closeness(**feedback):
        hits = gallery.search("a red car", k=30, **feedback)
        assert not {hit.id for hit in hits} & {i for ids in feedback.values() for i in ids}
        return float((gallery.vectors([hit.id for hit in hits]).astype(np.float32) @ direction).mean())

    assert closeness(like=seaside[:4]) > closeness() > closeness(unlike=seaside[:4])


@pytest.mark.slow
def test_a_picture_term_is_the_picture(gallery):
    from clipsearch.cli.commands.demo import gallery_folder

    file = gallery_folder() / "awkward/turned-6.jpg"
    assert gallery.search(image(file), k=1)[0].path == str(file)
