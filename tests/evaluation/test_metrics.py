"""Measures against figures worked out by hand and against plain loops in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsearch.evaluation.metrics import (
    MEASURES,
    confusion,
    first_ranks,
    mean_reciprocal_rank,
    ndcg,
    positions_within,
    rank_measures,
    recall_at,
    top_accuracy,
)

# Query 0 is answered at ranks 2 and 7, query 1 at 1, query 3 at 12; query 2 has no answer.
QUERIES, RANKS, GRADES = np.array([0, 0, 1, 3]), np.array([7, 2, 1, 12]), np.array([1.0, 1.0, 1.0, 1.0])


def test_measures_worked_out_by_hand():
    found = rank_measures(QUERIES, RANKS, GRADES)
    assert tuple(found) == MEASURES
    assert found["R@1"] == pytest.approx(1 / 3)
    assert found["R@5"] == pytest.approx(2 / 3)
    assert found["R@10"] == pytest.approx(2 / 3)
    assert found["MRR"] == pytest.approx((1 / 2 + 1 + 1 / 12) / 3)
    of_first = (1 / math.log2(3) + 1 / math.log2(8)) / (1 / math.log2(2) + 1 / math.log2(3))
    assert found["nDCG@10"] == pytest.approx((of_first + 1 + 0) / 3)


def test_graded_gain_as_burges_defines_it():
    # Grades 3 and 1 in the wrong order: (1/1 + 7/1.585) / (7/1 + 1/1.585).
    assert ndcg(np.array([0, 0]), np.array([1, 2]), np.array([1.0, 3.0])) == pytest.approx(0.709810, abs=1e-6)
    assert ndcg(np.array([0, 0]), np.array([2, 1]), np.array([1.0, 3.0])) == pytest.approx(1.0)


def test_nothing_judged_is_not_a_number():
    nothing = np.empty(0, np.int64)
    assert all(math.isnan(value) for value in rank_measures(nothing, nothing, nothing.astype(float)).values())


def test_of_equal_scores_the_lower_grade_stands_first():
    queries, scores = np.array([5, 5, 5, 9]), np.array([0.5, 0.5, 0.9, 0.1])
    assert positions_within(queries, scores, np.array([2.0, 1.0, 1.0, 1.0])).tolist() == [3, 2, 1, 1]


ranked = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 40), st.integers(1, 4)), min_size=1, max_size=25).filter(
    lambda pairs: len({pair[:2] for pair in pairs}) == len(pairs)
)


@given(ranked, st.integers(1, 20))
def test_measures_equal_plain_loops(pairs, k):
    queries, ranks, grades = (np.array(column) for column in zip(*pairs, strict=True))
    best = [min(r for q, r, _ in pairs if q == query) for query in sorted({q for q, _, _ in pairs})]
    gains = []
    for query in sorted({q for q, _, _ in pairs}):
        own = [(r, g) for q, r, g in pairs if q == query]
        found = sum((2**g - 1) / math.log2(r + 1) for r, g in own if r <= k)
        ideal = sum((2**g - 1) / math.log2(i + 2) for i, g in enumerate(sorted((g for _, g in own), reverse=True)[:k]))
        gains.append(found / ideal)
    first = first_ranks(queries, ranks)
    assert first.tolist() == best
    assert recall_at(first, k) == pytest.approx(sum(r <= k for r in best) / len(best))
    assert mean_reciprocal_rank(first) == pytest.approx(sum(1 / r for r in best) / len(best))
    assert ndcg(queries, ranks, grades, k) == pytest.approx(sum(gains) / len(gains))


@given(ranked)
def test_shares_lie_between_nought_and_one_and_recall_grows_with_depth(pairs):
    queries, ranks, grades = (np.array(column) for column in zip(*pairs, strict=True))
    found = rank_measures(queries, ranks, grades)
    assert all(0 <= value <= 1 + 1e-12 for value in found.values())
    assert found["R@1"] <= found["R@5"] <= found["R@10"]
    assert found["R@1"] <= found["MRR"] <= 1


@given(st.permutations(range(4)), ranked)
def test_the_order_of_pairs_does_not_matter(order, pairs):
    renamed = [(order[q % 4] * 10 + q, r, g) for q, r, g in reversed(pairs)]
    plain, other = (tuple(np.array(column) for column in zip(*some, strict=True)) for some in (pairs, renamed))
    assert rank_measures(*other) == pytest.approx(rank_measures(*plain))


def test_ties_count_against_accuracy():
    scores = np.array([[0.9, 0.9, 0.1], [0.2, 0.7, 0.1], [0.3, 0.2, 0.1]])
    assert top_accuracy(scores, np.array([0, 1, 2])) == pytest.approx(1 / 3)
    assert top_accuracy(scores, np.array([0, 1, 2]), 2) == pytest.approx(2 / 3)
    assert top_accuracy(scores, np.array([0, 1, 2]), 3) == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_confusion_counts_every_pair_once(pairs):
    classes, predicted = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    cells = confusion(classes, predicted, 4)
    assert cells.tolist() == [[pairs.count((row, column)) for column in range(4)] for row in range(4)]
