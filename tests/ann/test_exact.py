"""The exact index against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from clipsearch.ann.exact import ExactIndex, nearest_of_all, nearest_rows, write_exact
from clipsearch.ann.selection import Selection
from clipsearch.errors import IndexDamaged

NOTHING = np.empty(0, np.int64)


def unit_vectors(count: int, dim: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, dim))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float16)


def brute_force(ids, vectors, query, k, without=()):
    """Scores and ids of the k best, in float64 from the stored float16."""
    scores = vectors.astype(np.float64) @ query.astype(np.float64)
    order = [i for i in np.argsort(-scores, kind="stable") if ids[i] not in set(without)][:k]
    return scores[order], ids[order]


@pytest.fixture(params=[(1, 3), (5, 48), (500, 16), (3000, 100)], ids=lambda p: f"{p[0]}x{p[1]}")
def world(request, tmp_path):
    count, dim = request.param
    ids = np.random.default_rng(1).permutation(np.arange(10, 10 + 7 * count, 7))
    vectors = unit_vectors(count, dim)
    path = tmp_path / "ann.faiss"
    assert write_exact(path, None, dim, NOTHING, [(ids, vectors)]) == count
    return ExactIndex(path), ids, vectors


@pytest.mark.parametrize("k", [1, 2, 4, 5, 6, 17, 499, 500, 501, 5000])
def test_same_answers_as_brute_force(world, k):
    ann, ids, vectors = world
    queries = unit_vectors(3, vectors.shape[1], seed=2).astype(np.float32)
    scores, found = ann.search(queries, k)
    assert found.shape == scores.shape == (3, min(k, len(ids)))
    for row in range(3):
        expected_scores, expected_ids = brute_force(ids, vectors, queries[row], k)
        np.testing.assert_allclose(scores[row], expected_scores, atol=1e-6)
        np.testing.assert_array_equal(found[row], expected_ids)


def test_a_selection_never_shortens_the_answer(world):
    ann, ids, vectors = world
    query = vectors[:1].astype(np.float32)
    for without in ([int(ids[0])], ids[: len(ids) // 2].tolist(), ids.tolist(), []):
        allowed = Selection.of(np.setdiff1d(ids, without))
        for k in (1, 3, len(ids)):
            scores, found = ann.search(query, k, allowed)
            expected_scores, expected_ids = brute_force(ids, vectors, query[0], k, without)
            np.testing.assert_array_equal(found[0], expected_ids)
            np.testing.assert_allclose(scores[0], expected_scores, atol=1e-6)


def test_stored_vector_finds_itself_with_score_one(world):
    ann, ids, vectors = world
    scores, found = ann.search(vectors[:20].astype(np.float32), 1)
    np.testing.assert_array_equal(found[:, 0], ids[:20])
    np.testing.assert_allclose(scores[:, 0], 1, atol=2e-3)


def test_adding_and_removing_equals_building_anew(tmp_path):
    ids, vectors = np.arange(100), unit_vectors(100, 16)
    more, more_vectors = np.arange(90, 150), unit_vectors(60, 16, seed=5)
    write_exact(tmp_path / "one", None, 16, NOTHING, [(ids, vectors)])
    gone = np.array([3, 50, 1000, *range(90, 100)])
    total = write_exact(tmp_path / "two", tmp_path / "one", 16, gone, [(more, more_vectors)])
    kept = [i for i in range(90) if i not in (3, 50)]
    all_ids, all_vectors = np.concatenate([ids[kept], more]), np.concatenate([vectors[kept], more_vectors])
    ann = ExactIndex(tmp_path / "two")
    assert total == len(ann) == len(all_ids)
    assert sorted(ann.ids.tolist()) == sorted(all_ids.tolist())
    query = unit_vectors(1, 16, seed=6).astype(np.float32)
    scores, found = ann.search(query, 148)
    expected_scores, expected_ids = brute_force(all_ids, all_vectors, query[0], 148)
    np.testing.assert_array_equal(found[0], expected_ids)
    np.testing.assert_allclose(scores[0], expected_scores, atol=1e-6)


def test_empty(tmp_path):
    assert write_exact(tmp_path / "ann", None, 4, NOTHING, []) == 0
    scores, ids = ExactIndex(tmp_path / "ann").search(np.eye(4, dtype=np.float32), 3)
    assert scores.shape == ids.shape == (4, 0)


@pytest.mark.parametrize("content", [None, b"", b"not an index"])
def test_unreadable(tmp_path, content):
    path = tmp_path / "ann"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(IndexDamaged, match="repair"):
        ExactIndex(path)
    with pytest.raises(IndexDamaged, match="repair"):
        write_exact(tmp_path / "new", path, 4, NOTHING, [])


@pytest.mark.parametrize("k", [1, 7, 300])
def test_nearest_rows_and_nearest_of_all_equal_brute_force(k):
    vectors, ids = unit_vectors(250, 24), np.arange(250) * 3 + 5
    queries = unit_vectors(4, 24, seed=9).astype(np.float32)
    scores, rows = nearest_rows(queries, vectors, k)
    blocks = [(ids[i : i + 60], vectors[i : i + 60]) for i in range(0, 250, 60)]
    all_scores, found = nearest_of_all(queries, blocks, k)
    for number, query in enumerate(queries):
        expected_scores, expected_ids = brute_force(ids, vectors, query, k)
        np.testing.assert_array_equal(ids[rows[number]], expected_ids)
        np.testing.assert_array_equal(found[number], expected_ids)
        np.testing.assert_allclose(scores[number], expected_scores, atol=1e-6)
        np.testing.assert_allclose(all_scores[number], expected_scores, atol=1e-6)


def test_many_queries_at_once_equal_one_by_one(world):
    ann, _, vectors = world
    queries = unit_vectors(40, vectors.shape[1], seed=4).astype(np.float32)
    scores, found = ann.search(queries, 12)
    for row in range(40):
        one_scores, one_found = ann.search(queries[row : row + 1], 12)
        np.testing.assert_array_equal(found[row], one_found[0])
        np.testing.assert_allclose(scores[row], one_scores[0], atol=1e-6)


def test_nearest_rows_of_nothing():
    scores, rows = nearest_rows(np.eye(3, dtype=np.float32), np.empty((0, 3), np.float16), 4)
    assert scores.shape == rows.shape == (3, 0)
