"""When two pictures are one picture saved twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import made_index

from clipsearch.errors import QueryError
from clipsearch.query.sameness import LEAST_COSINE, differing_bits, perceptual_hashes, same_picture

HASHES = st.integers(-(2**63), 2**63 - 1)


def bits(count: int) -> np.int64:
    """A hash that differs from 0 in so many bits, the sign among them from 64 on."""
    return np.array((1 << count) - 1, dtype=np.uint64).view(np.int64)[()]


@given(HASHES, HASHES)
def test_differing_bits_are_counted(one, other):
    expected = ((one ^ other) & (2**64 - 1)).bit_count()
    assert int(differing_bits(np.int64(one), np.int64(other))) == expected


def test_differing_bits_broadcast():
    ones = np.array([0, -1, 5], np.int64)
    assert differing_bits(ones[:, None], ones[None]).tolist() == [[0, 64, 2], [64, 0, 62], [2, 62, 0]]
    assert differing_bits(ones.reshape(3, 1).T, np.int64(0)).tolist() == [[0, 64, 2]]
    assert differing_bits(ones[:0], ones[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("cosine", "most"),
    [(1.0, 20), (0.981, 17), (0.961, 14), (0.941, 11), (0.9301, 9), (0.9299, -1), (0.5, -1), (-1.0, -1)],
)
def test_the_closer_the_embeddings_the_more_bits_may_differ(cosine, most):
    same = same_picture(cosine, np.int64(0), np.array([bits(count) for count in range(65)]))
    assert same.tolist() == [count <= most for count in range(65)]


def test_a_threshold_of_ones_own_goes_both_ways():
    assert not same_picture(0.95, np.int64(0), np.int64(0), threshold=0.96)
    assert same_picture(0.9, np.int64(0), np.int64(0), threshold=0.88)
    assert not same_picture(0.9, np.int64(0), np.int64(0), threshold=LEAST_COSINE)


def test_hashes_come_in_the_order_asked(tmp_path):
    hashes = [7, -(2**63), 2**63 - 1, 0]
    snapshot = made_index(tmp_path / "i", np.eye(4), perceptual_hash=hashes)
    assert perceptual_hashes(snapshot, [3, 1, 2, 3])[0].tolist() == [hashes[2], 7, hashes[1], hashes[2]]
    assert perceptual_hashes(snapshot, np.array([4]))[0].tolist() == [0]
    assert perceptual_hashes(snapshot, [])[0].shape == (0,)


def test_rows_without_a_hash_are_refused_in_words(tmp_path):
    snapshot = made_index(tmp_path / "i", np.eye(3), perceptual_hash=[1, None, 3])
    assert perceptual_hashes(snapshot, [3, 1])[0].tolist() == [3, 1]
    with pytest.raises(QueryError, match=r"1 of the pictures.*clipsearch index"):
        perceptual_hashes(snapshot, [1, 2])
