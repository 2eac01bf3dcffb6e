"""Numbers from elsewhere get length one, and those that have it stay as they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clipsearch_indexer.vectors.unit import as_stored

floats = arrays(np.float64, (5, 8), elements=st.floats(-1e300, 1e300))


@given(floats)
def test_vectors_of_any_length_get_length_one(numbers):
    vectors, bad = as_stored(numbers)
    assert set(bad) == {row for row in range(5) if not numbers[row].any()}
    for row in set(range(5)) - set(bad):
        largest = np.abs(numbers[row]).max()
        direction = numbers[row] / largest
        # Half a unit in the last place of float16: 2^-11 of the number, or 2^-25 where that is subnormal.
        assert np.allclose(vectors[row], direction / np.linalg.norm(direction), rtol=2.0**-10, atol=2.0**-24)


@given(floats)
def test_stored_vectors_stay_as_they_are_bit_for_bit(numbers):
    once, bad = as_stored(numbers)
    good = [row for row in range(5) if row not in bad]
    for kind in (np.float16, np.float32, np.float64):
        again, none = as_stored(once[good].astype(kind))
        assert again.tobytes() == once[good].tobytes()
        assert none == {}


@pytest.mark.parametrize(
    ("row", "why"), [([0.0] * 8, "all zeros"), ([np.nan] + [1.0] * 7, "infinite or none"), ([np.inf] * 8, "infinite")]
)
def test_what_has_no_direction_is_refused(row, why):
    vectors, bad = as_stored(np.array([[1.0] + [0.0] * 7, row]))
    assert list(bad) == [1]
    assert why in bad[1]
    assert vectors[0].tolist() == [1.0] + [0.0] * 7
