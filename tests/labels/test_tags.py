"""Suggested tags: by value against plain NumPy, hubs, small indexes, and words that are embedded once."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

import clipsearch
from clipsearch.errors import QueryError, UsageError
from clipsearch.labels.vocabulary import word_vectors
from tests.made_up import made_index, unit_rows

DIM = 16
WORDS = [f"word {number}" for number in range(40)]


class MadeUp:
    """A direction for each text, drawn by its digest; a word in a template lies beside the word."""

    name, fingerprint, dim, batch_size = "made up", "made-up-1", DIM, 8
    logit_scale, logit_bias = 100.0, None

    def __init__(self) -> None:
        self.read: list[str] = []

    def encode_texts(self, texts):
        self.read += texts
        values = np.array([drawn(text) + 3 * drawn(text.removeprefix("a ")) for text in texts])
        return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def drawn(text: str) -> np.ndarray:
    return np.random.default_rng(list(hashlib.blake2b(text.encode()).digest())).normal(size=DIM)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def vectors():
    """90 directions, leaning to one side as pictures do."""
    values = np.random.default_rng(5).normal(size=(90, DIM))
    values[:, 0] += 4
    return unit_rows(values)


@pytest.fixture
def index(tmp_path, vectors):
    made_index(tmp_path / "many.index", vectors).close()
    return tmp_path / "many.index"


def suggest(index, pictures, words=WORDS, **how):
    return clipsearch.suggest_tags(index, pictures, words, **{"templates": ["{}", "a {}"], "encoder": MadeUp()} | how)


def expected(vectors, words=WORDS):
    """Scores and standings of all pictures [n, words] in float64."""
    encoder = MadeUp()
    sentences = [encoder.encode_texts([word, f"a {word}"]).astype(np.float64).mean(axis=0) for word in words]
    of_words = np.stack([one / np.linalg.norm(one) for one in sentences])
    scores = vectors.astype(np.float64) @ of_words.T
    return scores, (scores - scores.mean(axis=0)) / scores.std(axis=0)


def test_tags_are_the_words_that_stand_out_most(index, vectors):
    scores, standings = expected(vectors)
    ids = [1, 44, 90]
    for picture, tags in zip(ids, suggest(index, ids, k=5), strict=True):
        best = np.argsort(-standings[picture - 1])[:5]
        assert [tag.word for tag in tags] == [WORDS[word] for word in best]
        np.testing.assert_allclose([tag.score for tag in tags], scores[picture - 1, best], atol=1e-3)
        np.testing.assert_allclose([tag.standing for tag in tags], standings[picture - 1, best], atol=5e-3)


def test_a_word_near_to_every_picture_is_not_suggested_for_every_picture(index, vectors, monkeypatch):
    towards = vectors.astype(np.float64).mean(axis=0)
    monkeypatch.setitem(globals(), "drawn", lambda text, plain=drawn: 4 * towards if "hub" in text else plain(text))
    words = ["hub", *WORDS]
    assert (expected(vectors, words)[0].argmax(axis=1) == 0).mean() > 0.5  # by score it is
    best = [tags[0].word for tags in suggest(index, range(1, 91), words, k=1)]
    assert best.count("hub") < 9


def test_with_few_pictures_the_score_decides(tmp_path, vectors):
    made_index(tmp_path / "few.index", vectors[:49]).close()
    scores, _ = expected(vectors)
    [tags] = suggest(tmp_path / "few.index", [7], k=4)
    assert [tag.word for tag in tags] == [WORDS[word] for word in np.argsort(-scores[6])[:4]]
    assert [tag.standing for tag in tags] == [None] * 4


def test_a_file_has_the_tags_of_its_picture_in_the_index(album):
    for number, colour in enumerate(["red", "green", "blue"] * 20):
        album.fill(f"{number:02d}.png", colour if number < 3 else f"hsl({number * 6}, 90%, 50%)")
    album.build()
    words = ["yellow", "red", "blue", "red", "green"]
    with album.open() as index:
        ids = dict(zip(*index.sql("SELECT path, id FROM images").to_pydict().values(), strict=True))
    asked = [album.folder / "02.png", ids["02.png"], (album.folder / "00.png").read_bytes(), ids["00.png"]]
    blue, blue_by_id, red, red_by_id = suggest(album.index, asked, words, encoder=album.encoder)
    assert (blue[0].word, red[0].word) == ("blue", "red")
    assert sorted(tag.word for tag in blue) == sorted(set(words))
    for found, by_id in ((blue, blue_by_id), (red, red_by_id)):
        assert [tag.word for tag in found] == [tag.word for tag in by_id]
        assert [tag.standing for tag in found] == pytest.approx([tag.standing for tag in by_id], abs=0.01)


def test_words_are_embedded_once(index):
    first, again, more = MadeUp(), MadeUp(), MadeUp()
    found = suggest(index, [3], encoder=first)
    assert len(first.read) == 2 * len(WORDS)
    assert suggest(index, [3], encoder=again) == found
    assert again.read == []
    suggest(index, [3], [*WORDS, "new"], encoder=more)
    assert more.read == ["new", "a new"]
    suggest(index, [3], encoder=more, templates=["{}"])
    assert more.read[2:] == WORDS


def test_an_interruption_keeps_what_was_embedded():
    def tell(_what, done, _total):
        if done == 10:
            raise KeyboardInterrupt

    encoder = MadeUp()
    with pytest.raises(KeyboardInterrupt):
        word_vectors(encoder, WORDS, ["{}"], tell)
    encoder.read.clear()
    found = word_vectors(encoder, WORDS, ["{}"], lambda *_: None)
    assert encoder.read == WORDS[10:]
    np.testing.assert_allclose(found, MadeUp().encode_texts(WORDS), atol=1e-6)


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"{}" * 99])
def test_a_damaged_cache_costs_time_only(tmp_path, damage):
    before = word_vectors(MadeUp(), WORDS, ["{}"], lambda *_: None)
    [file] = (tmp_path / "cache").rglob("words-*")
    file.write_bytes(damage(file.read_bytes()))
    np.testing.assert_array_equal(word_vectors(MadeUp(), WORDS, ["{}"], lambda *_: None), before)


@pytest.mark.parametrize(
    ("pictures", "words", "how", "error", "says"),
    [
        ([1], [], {}, UsageError, "at least one word"),
        ([1], WORDS, {"k": 0}, UsageError, "k of at least 1"),
        ([1], WORDS, {"templates": ["no place"]}, UsageError, "Every template"),
        ([91], WORDS, {}, QueryError, "no picture with id 91"),
    ],
)
def test_what_cannot_be_is_refused(index, pictures, words, how, error, says):
    with pytest.raises(error, match=says):
        suggest(index, pictures, words, **how)
