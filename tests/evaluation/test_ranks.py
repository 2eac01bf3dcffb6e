"""Ranks against a plain sort of all scores. Vectors are of small whole numbers, so that ties are many and exact."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clipsearch.evaluation.ranks import SAME, firsts, judged, pair_scores, ranks_of

vectors = arrays(np.float32, st.tuples(st.integers(1, 9), st.just(3)), elements=st.integers(-2, 2).map(float))


@st.composite
def judged_vectors(draw):
    queries, documents = draw(vectors), draw(vectors)
    rows = st.tuples(
        st.integers(0, len(queries) - 1), st.integers(0, len(documents) - 1), st.sampled_from([0.0, 1.0, 2.0])
    )
    return queries, documents, draw(st.lists(rows, min_size=1, max_size=20)), draw(st.integers(1, 4))


def plain_ranks(scores: np.ndarray, grades: dict[int, float]) -> list[int]:
    """The ranks of the graded documents of one query by a sort: what is no answer first among equals."""
    order = sorted(range(len(scores)), key=lambda d: (-scores[d], grades.get(d, 0.0), d))
    return [order.index(document) + 1 for document in sorted(grades)]


@given(judged_vectors())
def test_ranks_equal_a_plain_sort_whatever_the_blocks(given_):
    queries, documents, rows, size = given_
    ids = np.arange(len(documents)) * 3 + 7  # ids are not rows
    pairs = judged([q for q, _, _ in rows], ids[[d for _, d, _ in rows]], [g for _, _, g in rows])
    scores = pair_scores(queries, pairs, documents[(pairs.documents - 7) // 3])
    order = np.random.default_rng(size).permutation(len(ids))
    blocks = [(ids[order[i : i + size]], documents[order[i : i + size]]) for i in range(0, len(ids), size)]
    found = ranks_of(queries, pairs, scores, blocks)

    expected = []
    table = queries.astype(np.float64) @ documents.astype(np.float64).T
    for query in range(len(queries)):
        grades: dict[int, float] = {}
        for q, d, g in rows:
            if q == query and g > 0:
                grades[d] = max(g, grades.get(d, 0.0))
        expected += plain_ranks(table[query], grades)
    assert found.tolist() == expected


@given(judged_vectors())
def test_the_first_is_the_highest_of_all_blocks(given_):
    queries, documents, _, size = given_
    blocks = [
        (np.arange(len(documents))[i : i + size], documents[i : i + size]) for i in range(0, len(documents), size)
    ]
    table = queries @ documents.T
    assert (table[np.arange(len(queries)), firsts(queries, blocks)] == table.max(axis=1)).all()


def test_a_score_that_differs_by_rounding_is_a_tie():
    queries = np.array([[1.0, 0.0]], np.float32)
    documents = np.array([[0.5, 0.0], [0.5 - SAME / 2, 0.0], [0.5 - 3 * SAME, 0.0]], np.float32)
    pairs = judged([0], [0], [1.0])
    scores = pair_scores(queries, pairs, documents[:1])
    assert ranks_of(queries, pairs, scores, [(np.arange(3), documents)]).tolist() == [2]


def test_a_pair_can_be_given_another_score():
    queries = np.eye(2, dtype=np.float32)
    documents = np.array([[0.9, 0.1], [0.5, 0.5]], np.float32)
    pairs = judged([0], [0], [1.0])
    assert ranks_of(queries, pairs, np.array([0.4], np.float32), [(np.arange(2), documents)]).tolist() == [2]
    assert ranks_of(queries, pairs, np.array([0.6], np.float32), [(np.arange(2), documents)]).tolist() == [1]


def test_swapped_pairs_are_the_same_pairs():
    pairs = judged([1, 0, 1, 1], [40, 40, 30, 30], [1, 2, 3, 1])
    documents, other = pairs.swapped()
    assert documents.tolist() == [30, 40]
    back = {
        (int(q), int(documents[d])): float(g)
        for d, q, g in zip(other.queries, other.documents, other.grades, strict=True)
    }
    assert back == {(1, 40): 1, (0, 40): 2, (1, 30): 3}
