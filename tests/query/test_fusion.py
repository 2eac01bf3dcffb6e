"""Several spaces searched as one, against brute force in float64 over all pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageColor

import clipsearch
from clipsearch import Query, image, stored, text, vector
from clipsearch.errors import ModelMismatch, QueryError
from clipsearch.query.embed import image_vectors
from clipsearch.query.mixing import LEAST_SPREAD
from clipsearch.store.probes import read_probes
from clipsearch.store.segments import removals_of
from clipsearch.store.writer import locked, writer_of
from tests.conftest import Album, encoded
from tests.query.two_spaces import OtherEncoder, add_space, answer_with
from tests.toy import ToyEncoder

COLOURS = ["red", "green", "blue", "yellow", "white", "black", "orange", "purple"]
LACKING = (3, 4, 50)
BOTH = {"toy": 1.0, "other": 0.5}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Eighty pictures in four folders, twelve of them copies, and eight with captions; two models, of which the second
    lacks three pictures, and captions."""
    place = tmp_path_factory.mktemp("fusion")
    album = Album(place / "photos", place / "photos.index")
    for number in range(60):
        album.paint(f"{'abcd'[number % 4]}/p{number:02d}.png", number, (10 + number % 5, 9))
    for number in range(12):
        album.paint(f"copies/p{number:02d}.png", number, (10 + number % 5, 9))
    columns = {"image": [encoded(seed) for seed in range(100, 108)], "caption": COLOURS}
    album.shard("more.parquet", columns)
    album.build(album.folder)
    add_space(album.index, "other", OtherEncoder(), without=LACKING)
    add_space(album.index, "captions", album.encoder, of="captions")
    return album.index


@pytest.fixture(scope="module")
def index(path):
    with clipsearch.open(path, encoder=[ToyEncoder(), OtherEncoder()]) as opened:
        yield opened


@pytest.fixture(scope="module")
def alone(path):
    """Each space by itself, as an index of its own: name -> index."""
    encoders = {"toy": ToyEncoder(), "other": OtherEncoder(), "captions": ToyEncoder()}
    opened = {name: clipsearch.open(path, encoder=encoder, space=name) for name, encoder in encoders.items()}
    yield opened
    for one in opened.values():
        one.close()


def standing(index, query, ids) -> dict[int, float]:
    """How far each picture of one space stands out for a unit vector, from all vectors of that space in float64."""
    there = index.sql("SELECT id FROM images ORDER BY id")["id"].to_pylist()
    scores = index.vectors(there).astype(np.float64) @ np.asarray(query, np.float64)
    spread = max(scores.std(), LEAST_SPREAD)
    found = dict(zip(there, (scores - scores.mean()) / spread, strict=True))
    return {i: found.get(i, 0.0) for i in ids}


def by_brute_force(alone, vectors, weights) -> dict[int, float]:
    """Fused score of every picture, best first: `vectors` and `weights` by name of the space."""
    ids = alone["toy"].sql("SELECT id FROM images")["id"].to_pylist()
    there = {i for name in weights for i in alone[name].sql("SELECT id FROM images")["id"].to_pylist()}
    parts = [(weight, standing(alone[name], vectors[name], ids)) for name, weight in weights.items()]
    total = {i: sum(weight * part[i] for weight, part in parts) for i in ids if i in there}
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def unit(values) -> np.ndarray:
    return np.asarray(values, np.float64) / np.linalg.norm(values)


def of_text(words: str) -> dict[str, np.ndarray]:
    return {
        "toy": unit(ToyEncoder().encode_texts([words])[0]),
        "other": unit(OtherEncoder().encode_texts([words])[0]),
        "captions": unit(ToyEncoder().encode_texts([words])[0]),
    }


def assert_same(results, expected: dict[int, float], k: int) -> None:
    """The first `k`, by value: of pictures whose scores are equal to rounding any order will do."""
    assert len(results) == min(k, len(expected))
    best = list(expected.values())[:k]
    np.testing.assert_allclose(results.scores, best, atol=2e-3)
    np.testing.assert_allclose(results.scores, [expected[i] for i in results.ids.tolist()], atol=2e-3)
    assert len(set(results.ids.tolist())) == len(results)


@pytest.mark.parametrize("k", [1, 7, 31, 200])
@pytest.mark.parametrize(
    "weights", [BOTH, {"toy": 1, "other": 1, "captions": 2}, {"other": 3, "captions": 0.1}], ids=str
)
@pytest.mark.parametrize("words", ["red", "a heap of laundry on the stairs"])
def test_the_order_is_that_of_the_weighted_sum(index, alone, words, weights, k):
    found = index.search(words, k=k, spaces=weights, templates=False)
    assert_same(found, by_brute_force(alone, of_text(words), weights), k)


def test_pictures_that_a_space_lacks_are_average_there(index, alone):
    expected = by_brute_force(alone, of_text("blue"), {"toy": 1e-6, "other": 1.0})
    found = index.search("blue", k=80, spaces={"toy": 1e-6, "other": 1.0}, templates=False)
    scores = dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))
    assert [scores[i] for i in LACKING] == pytest.approx([0] * 3, abs=1e-4)
    assert_same(found, expected, 80)


def test_a_weight_of_zero_asks_the_other_space_alone(index, alone):
    found = index.search("red", k=9, spaces={"toy": 0, "other": 2})
    assert found == index.search("red", k=9, spaces="other")
    own = alone["other"].search("red", k=9)
    assert found.ids.tolist() == own.ids.tolist()
    np.testing.assert_array_equal(found.scores, own.scores)  # cosines, as ever in one space


@settings(max_examples=25)
@given(
    weights=st.tuples(st.floats(0.01, 10), st.floats(0.01, 10)),
    seed=st.integers(0, 10_000),
    k=st.integers(1, 30),
    narrow=st.booleans(),
)
def test_any_weights_and_any_picture(index, alone, weights, seed, k, narrow):
    asked = dict(zip(("toy", "other"), weights, strict=True))
    picture = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    where = "width > 11" if narrow else None
    found = index.search(image=picture, k=k, spaces=asked, where=where)
    vectors = {name: image_vector(encoder, picture) for name, encoder in ENCODERS.items()}
    expected = by_brute_force(alone, vectors, asked)
    if narrow:
        wide = set(index.sql("SELECT id FROM images WHERE width > 11")["id"].to_pylist())
        expected = {i: score for i, score in expected.items() if i in wide}
    np.testing.assert_allclose(found.scores, list(expected.values())[:k], atol=2e-3 * max(weights))


ENCODERS = {"toy": ToyEncoder(), "other": OtherEncoder()}


def image_vector(encoder, picture) -> np.ndarray:
    return unit(image_vectors(encoder, [picture])[0])


def test_a_mixture_is_mixed_in_each_space(index, alone):
    query = text("red") + 0.7 * stored(9) - 0.4 * text("green")
    vectors = {}
    for name, encoder in ENCODERS.items():
        texts = encoder.encode_texts(["red", "green"]).astype(np.float64)
        parts = [texts[0], alone[name].vectors([9])[0].astype(np.float64), texts[1]]
        there = alone[name].sql("SELECT id FROM images")["id"].to_pylist()
        every = alone[name].vectors(there).astype(np.float64)
        vectors[name] = unit(
            sum(w * unit(p) / (every @ unit(p)).std() for w, p in zip((1, 0.7, -0.4), parts, strict=True))
        )
    found = index.search(query, k=20, spaces=BOTH, templates=False)
    assert_same(found, by_brute_force(alone, vectors, BOTH), 20)


def test_liked_pictures_take_part_where_they_are(index, alone):
    """Picture 3 is in the first space alone, so the second is asked nothing and adds nothing."""
    found = index.search(like=3, k=10, spaces=BOTH)
    query = unit(alone["toy"].vectors([3])[0])
    expected = by_brute_force(alone, {"toy": query}, {"toy": 1.0})
    del expected[3]
    assert_same(found, expected, 10)
    both = index.search("red", like=[3, 9], unlike=[10], k=79, spaces=BOTH)
    assert not {3, 9, 10} & set(both.ids.tolist())
    assert len(both) == 77


def test_filters_groups_and_copies(index, alone):
    rows = {row["id"]: row for row in index.sql("SELECT * FROM images").to_pylist()}
    ranked = by_brute_force(alone, of_text("red"), BOTH)

    def folder(i):
        return rows[i]["shard"] or rows[i]["path"].rpartition("/")[0]

    for where, group_by, unique in [
        ("width > 11", None, False),
        (None, "folder", False),
        (None, None, True),
        ("width > 10", "folder", True),
        ("id in (3, 4, 7)", None, False),
    ]:
        passing = (
            set(rows) if where is None else set(index.sql(f"SELECT id FROM images WHERE {where}")["id"].to_pylist())
        )
        kept: list[int] = []
        for i in (i for i in ranked if i in passing):
            same_folder = group_by and any(folder(i) == folder(other) for other in kept)
            copy = unique and any(rows[i]["content_hash"] == rows[other]["content_hash"] for other in kept)
            if not same_folder and not copy:
                kept.append(i)
        found = index.search("red", k=200, where=where, group_by=group_by, unique=unique, spaces=BOTH, templates=False)
        np.testing.assert_allclose(found.scores, [ranked[i] for i in kept], atol=2e-3)


@pytest.mark.parametrize(
    "options",
    [{}, {"unique": True}, {"group_by": "folder"}, {"sort": "bytes:asc"}, {"diversity": 0.5}, {"where": "width > 11"}],
    ids=str,
)
def test_pages_follow_one_another(path, index, options):
    pages = [index.search("red", k=6, spaces=BOTH, **options)]
    while pages[-1].cursor is not None:
        with clipsearch.open(path, encoder=list(ENCODERS.values())) as other:  # as another process would
            pages.append(other.search("red", k=6, spaces=BOTH, cursor=pages[-1].cursor, **options))
    listed = [i for page in pages for i in page.ids.tolist()]
    assert len(set(listed)) == len(listed) == len(index.search("red", k=80, spaces=BOTH, **options))
    assert all(len(page) == 6 for page in pages[:-1])
    for spaces in ("toy", {"toy": 1.0, "other": 0.6}, {"other": 0.5, "toy": 1.0}):
        if pages[0].cursor:
            with pytest.raises(QueryError, match="another query"):
                index.search("red", k=6, spaces=spaces, cursor=pages[0].cursor, **options)


def test_many_queries_at_once_answer_like_one_by_one(index):
    rng = np.random.default_rng(5)
    pictures = [image(rng.integers(0, 255, (9, 12, 3), dtype=np.uint8)) for _ in range(20)]
    queries = ["red", text("blue") - 0.3 * text("green"), stored(3), Query("white", unless="black"), *pictures]
    for options in ({}, {"where": "width > 11"}, {"group_by": "folder"}):
        for query, found in zip(queries, index.search_many(queries, k=5, spaces=BOTH, **options), strict=True):
            one = index.search(query, k=5, spaces=BOTH, **options)
            assert found.ids.tolist() == one.ids.tolist()
            np.testing.assert_allclose(found.scores, one.scores, atol=1e-5)
            np.testing.assert_allclose(found.relevances, one.relevances, atol=1e-4)


def test_what_is_excluded_is_relevant_to_the_text_in_the_fused_space(index):
    spaces = {"toy": 0.5, "other": 1.0}
    plain = index.search("white", k=80, spaces=spaces)
    relevant = {words: index.search(words, k=80, spaces=spaces).relevant.ids.tolist() for words in ImageColor.colormap}
    words = max(relevant, key=lambda words: len(relevant[words]))
    unwanted = set(relevant[words])
    assert unwanted
    found = index.search(Query("white", unless=words), k=80, spaces=spaces)
    assert found.ids.tolist() == [i for i in plain.ids.tolist() if i not in unwanted]


@pytest.mark.parametrize("has_text", [True, False])
def test_relevance_is_that_of_the_mean_prominence(index, alone, has_text):
    """As in docs/relevance.md, in float64, with the queries' side from the probes or from the pictures themselves."""
    picture = np.random.default_rng(3).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    asked = of_text("red") if has_text else {n: image_vector(encoder, picture) for n, encoder in ENCODERS.items()}
    ids = alone["toy"].sql("SELECT id FROM images ORDER BY id")["id"].to_pylist()
    order = np.random.default_rng(0).permutation(ids).tolist()
    matrices, own = [], []
    for name in BOTH:
        there = alone[name].sql("SELECT id FROM images ORDER BY id")["id"].to_pylist()
        stored_here = alone[name].vectors(there).astype(np.float64)
        if has_text:
            probes = read_probes(alone[name]._snapshot.layout.path, f"{name}-1").vectors.astype(np.float64)
        else:
            by_id = dict(zip(there, stored_here, strict=True))
            probes = np.stack([by_id.get(i, np.zeros(stored_here.shape[1])) for i in order])
        about = probes if has_text else stored_here
        rows = {i: row for row, i in enumerate(there)}

        def prominences(queries, rows=rows, stored_here=stored_here, about=about):
            scores = queries @ stored_here.T
            of_pictures = stored_here @ about.T
            spread = np.maximum(scores.std(axis=1, keepdims=True), 1e-6)
            by_query = (scores - scores.mean(axis=1, keepdims=True)) / spread
            by_picture = (scores - of_pictures.mean(axis=1)) / of_pictures.std(axis=1)
            found = np.where(queries.any(axis=1)[:, None], (by_query + by_picture) / 2, 0)
            return np.stack([found[:, rows[i]] if i in rows else np.zeros(len(queries)) for i in order], axis=1)

        matrices.append(prominences(probes))
        own.append(prominences(asked[name][None])[0])
    weights = list(BOTH.values())
    every, mine = (np.average(np.stack(parts), axis=0, weights=weights) for parts in (matrices, own))
    if not has_text:
        np.fill_diagonal(every, -np.inf)
    parts = np.linspace(0.1, 0.6, 11)
    scale, location = np.polyfit(-np.log(-np.log(parts)), np.quantile(every.max(axis=1), parts), 1)
    expected = dict(zip(order, np.exp(-np.exp(-(mine - location) / scale)), strict=True))
    query = {"query": "red"} if has_text else {"image": picture}
    found = index.search(**query, k=80, spaces=BOTH, templates=False)
    np.testing.assert_allclose(found.relevances, [expected[i] for i in found.ids.tolist()], atol=0.01)


def test_captions_by_words_and_by_picture(index):
    words = index.search("blue", k=3, spaces="captions", templates=False)
    assert words[0].metadata["caption"] == "blue"
    assert words[0].score == pytest.approx(1, abs=1e-3)
    blue = np.zeros((9, 12, 3), np.uint8) + np.array([0, 0, 255], np.uint8)
    found = index.search(image=blue, k=20, spaces="captions")
    assert len(found) == len(COLOURS)
    assert found[0].metadata["caption"] == "blue"
    with pytest.raises(QueryError, match="Picture 7 is not in the space captions"):
        index.search(like=7, spaces="captions")


def test_what_cannot_be_asked(index):
    with pytest.raises(QueryError, match="no space 'nothere'; those it has are: toy, other, captions"):
        index.search("red", spaces="nothere")
    with pytest.raises(QueryError, match="weight of other is -1"):
        index.search("red", spaces={"toy": 1, "other": -1})
    with pytest.raises(QueryError, match="No space is asked"):
        index.search("red", spaces={"toy": 0})
    with pytest.raises(QueryError, match="one model's space"):
        index.search(vector=np.ones(48), spaces=BOTH)
    assert len(index.search(vector=np.ones(48), spaces={"toy": 1, "captions": 1})) == 10, "these share a model"
    assert len(index.search(vector(np.ones(24)), spaces="other")) == 10
    with pytest.raises(QueryError, match="no picture with id 999"):
        index.search(like=999, spaces=BOTH)
    with pytest.raises(QueryError, match="Nothing is asked"):
        index.search(spaces=BOTH)


def test_a_model_that_made_none_of_the_spaces_is_refused(path):
    with pytest.raises(ModelMismatch, match="do not compare"):
        clipsearch.open(path, encoder=OtherEncoder("third"))
    with pytest.raises(ModelMismatch, match="do not compare"):
        clipsearch.open(path, encoder=ToyEncoder(), space="other")


def test_a_switch_is_followed_by_refresh(make_album):
    album = make_album("p", "p.index")
    album.paint_many(20)
    album.build()
    encoders = list(ENCODERS.values())
    with clipsearch.open(album.index, encoder=encoders) as before:
        add_space(album.index, "other", OtherEncoder())
        expected = before.search("red", k=5)
        assert before.refresh()
        assert before.spaces.names == ("toy", "other")
        answer_with(album.index, other=1, toy=0.5)
        assert before.search("red", k=5) == expected, "what was opened stays"
        assert before.model == "toy"
        assert before.refresh()
        assert not before.refresh()
        assert before.model == "other"
        fused = before.search("red", k=5)
        assert fused == before.search("red", k=5, spaces={"other": 1, "toy": 0.5})
        cursor = before.search("red", k=5).cursor
        remove(album.index / "spaces/other", [3])
        assert before.search("red", k=5, cursor=cursor)
        assert before.refresh(), "a version of any space that answers"
        with pytest.raises(QueryError, match="version 2 of other, 2 of toy of the index, which is now at 3 of other"):
            before.search("red", k=5, cursor=cursor)
        answer_with(album.index, other=1)
        assert before.refresh()
        assert before.search("red", k=5) == before.search("red", k=5, spaces="other") != fused


def remove(folder, ids) -> None:
    """Take pictures out of one space."""
    with locked(folder):
        writer = writer_of(folder)
        writer.append(removals=removals_of(ids))
        writer.publish()


def test_what_is_gone_from_the_main_space_is_found_in_none(make_album):
    """An indexing run takes a picture out of the main space first, and out of the others at its end."""
    album = make_album("p", "p.index")
    album.paint_many(20)
    album.build()
    add_space(album.index, "other", OtherEncoder())
    remove(album.index, [5, 6])
    with clipsearch.open(album.index, encoder=list(ENCODERS.values())) as index:
        left = [i for i in range(1, 21) if i not in (5, 6)]
        for spaces in ("other", "toy", BOTH, {"other": 1, "toy": 1e-9}):
            assert sorted(index.search("red", k=30, spaces=spaces).ids.tolist()) == left
            assert sorted(index.search("red", k=30, spaces=spaces, where="id > 4").ids.tolist()) == left[4:]
            with pytest.raises(QueryError, match="no picture with id 5"):
                index.search(like=5, spaces=spaces)


def test_the_plan_says_what_each_space_did(index):
    plan = index.search("red", k=5, where="width > 11", spaces=BOTH).plan
    assert plan.name == "fused: toy x 1 (exact with selection), other x 0.5 (exact with selection)"
    assert plan.survivors == len(index.sql("SELECT id FROM images WHERE width > 11"))
    steps = [name for name, _ in plan.steps]
    assert {"toy: exact index with selection", "other: exact index with selection"} <= set(steps)
    assert any(step.startswith("fusion of the 64 nearest") for step in steps)
