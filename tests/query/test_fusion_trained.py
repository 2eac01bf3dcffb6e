"""Fused search over trained indexes: what is found scores as it should, and little is missed."""

from __future__ import annotations

import numpy as np
import pytest

import clipsearch
from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.spaces import Space, Spaces, read_spaces, write_spaces
from clipsearch.store.writer import locked, open_for_writing, writer_of
from tests.store.conftest import rows_of
from tests.store.test_search import lower_bands

pytestmark = pytest.mark.slow  # to train two indexes takes ten seconds

ROWS, DIMS, WEIGHTS = 2000, {"one": 16, "two": 24}, {"one": 1.0, "two": 0.7}


def made_up(dim: int, seed: int) -> np.ndarray:
    """Vectors of both spaces come from the same eight hidden numbers, so that neighbours are partly the same."""
    hidden = np.random.default_rng(0).normal(size=(ROWS, 8))
    rng = np.random.default_rng(seed)
    values = hidden @ rng.normal(size=(8, dim)) + rng.normal(size=(ROWS, dim)) + 2
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture(scope="module")
def vectors():
    return {name: made_up(dim, seed) for seed, (name, dim) in enumerate(DIMS.items(), 1)}


@pytest.fixture(scope="module")
def index(tmp_path_factory, vectors):
    path = tmp_path_factory.mktemp("trained") / "trained.index"
    ids = list(range(1, ROWS + 1))
    with pytest.MonkeyPatch.context() as patch:
        lower_bands(patch)
        with open_for_writing(path, ModelRef("one", "one-1", DIMS["one"])) as writer:
            writer.roots["photos"] = Root("photos", "/photos")
            writer.take_ids(ROWS)
            writer.append(rows_of(ids), vectors["one"])
            writer.publish()
        with locked(path):
            writer = writer_of(path / "spaces/two", ModelRef("two", "two-1", DIMS["two"]))
            writer.roots["photos"] = Root("photos", "/photos")
            writer.spend_ids(ROWS + 1)
            writer.append(rows_of(ids[: ROWS // 2]), vectors["two"][: ROWS // 2])
            writer.append(rows_of(ids[ROWS // 2 :]), vectors["two"][ROWS // 2 :])
            writer.publish()
            write_spaces(
                path, Spaces((*read_spaces(path).spaces, Space("two", "pictures", "spaces/two")), (("one", 1.0),))
            )
    with clipsearch.open(path) as opened:
        yield opened


def fused_scores(vectors, picture: int) -> np.ndarray:
    """Of every picture for one of them as the query, in float64."""
    total = np.zeros(ROWS)
    for name, weight in WEIGHTS.items():
        stored = vectors[name].astype(np.float64)
        query = stored[picture] / np.linalg.norm(stored[picture])
        scores = stored @ query
        total += weight * (scores - scores.mean()) / scores.std()
    return total


@pytest.mark.parametrize("where", [None, "id % 2 = 0", "id % 40 = 0"])
def test_what_is_found_scores_as_it_should_and_little_is_missed(index, vectors, where):
    passing = np.ones(ROWS, bool) if where is None else (np.arange(1, ROWS + 1) % int(where.split()[2]) == 0)
    found_share = []
    for picture in range(0, ROWS, 150):
        expected = np.where(passing, fused_scores(vectors, picture), -np.inf)
        found = index.search(clipsearch.stored(picture + 1), k=10, spaces=WEIGHTS, where=where)
        np.testing.assert_allclose(found.scores, expected[found.ids - 1], atol=2e-3)
        assert (np.diff(found.scores) <= 0).all()
        best = np.argsort(-expected)[:10] + 1
        found_share.append(len(set(best.tolist()) & set(found.ids.tolist())) / 10)
    assert np.mean(found_share) > 0.95
    assert ("ivf" in found.plan.name) == (where is None), "survivors that are few are all scored"


def test_as_deep_as_there_are_pictures(index, vectors):
    found = index.search(clipsearch.stored(7), k=ROWS, spaces=WEIGHTS)
    expected = fused_scores(vectors, 6)
    assert sorted(found.ids.tolist()) == list(range(1, ROWS + 1))
    np.testing.assert_allclose(found.scores, np.sort(expected)[::-1], atol=2e-3)
