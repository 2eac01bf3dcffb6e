"""Vectors on a plane: by value where there is one, by what neighbours become where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from clipsearch.ann import landmarks
from clipsearch.ann.landmarks import nearest_landmarks, neighbours_among
from clipsearch.projection.embedding import embed
from clipsearch.projection.frame import Frame, lay_out, place
from clipsearch.projection.principal import principal_plane
from clipsearch.projection.repulsion import repulsion
from clipsearch.store.derive import quietly

GROUPS, EACH, DIM = 24, 25, 32


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture(scope="module")
def grouped() -> np.ndarray:
    """600 vectors around 24 centres, float16 [600, 32], each group in one run."""
    chance = np.random.default_rng(1)
    centres = np.repeat(chance.normal(size=(GROUPS, DIM)), EACH, axis=0)
    return unit(centres + 0.35 * chance.normal(size=centres.shape))


@pytest.fixture(scope="module")
def frame(grouped: np.ndarray) -> Frame:
    return lay_out(grouped, None, quietly)


def nearest_on(points: np.ndarray, k: int) -> np.ndarray:
    apart = ((points[:, None] - points) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    return np.argsort(apart, axis=1)[:, :k]


def kept_neighbours(vectors: np.ndarray, points: np.ndarray) -> float:
    """The share of the ten nearest vectors that are among the ten nearest points."""
    near, on_map = neighbours_among(vectors, 10), nearest_on(points, 10)
    return float(np.mean([len({*a} & {*b}) / 10 for a, b in zip(near.tolist(), on_map.tolist(), strict=True)]))


def test_the_principal_plane_is_that_of_a_singular_value_decomposition():
    vectors = (np.random.default_rng(0).normal(size=(300, 12)) * np.arange(1, 13)).astype(np.float32)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, :2] * values[:2]
    found = principal_plane(vectors)
    same_way = np.sign((found * expected).sum(axis=0))
    assert found == pytest.approx(expected * same_way, abs=1e-2)
    assert np.array_equal(found, principal_plane(vectors))


@pytest.mark.parametrize("extent", [1e-4, 5.0, 60.0])
def test_repulsion_is_the_sum_over_all_pairs(extent: float):
    points = (np.random.default_rng(2).normal(size=(400, 2)) * extent / 4).astype(np.float32)
    apart = points[:, None].astype(np.float64) - points
    weights = 1 / (1 + (apart**2).sum(axis=2))
    np.fill_diagonal(weights, 0)
    forces, normaliser = repulsion(points)
    expected = (weights[..., None] ** 2 * apart).sum(axis=1)
    assert normaliser == pytest.approx(weights.sum(), rel=0.05)
    assert np.linalg.norm(forces - expected) < 0.1 * np.linalg.norm(expected)


def test_neighbours_are_the_nearest_others():
    vectors = unit(np.random.default_rng(3).normal(size=(80, DIM)))
    scores = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    np.fill_diagonal(scores, -np.inf)
    found = neighbours_among(vectors, 5)
    assert np.array_equal(np.sort(found), np.sort(np.argsort(-scores)[:, :5]))
    alike = neighbours_among(np.repeat(vectors[:1], 40, axis=0), 5)
    assert alike.shape == (40, 5)
    assert not (alike == np.arange(40)[:, None]).any()


def test_neighbours_stay_together_far_better_than_in_principal_components(grouped: np.ndarray, frame: Frame):
    linear = kept_neighbours(grouped, principal_plane(grouped.astype(np.float32)))
    found = kept_neighbours(grouped, frame.points)
    assert found > 0.6 > 1.5 * linear


def test_groups_lie_together(frame: Frame):
    group = np.arange(GROUPS * EACH) // EACH
    assert (group[nearest_on(frame.points, 10)] == group[:, None]).mean() > 0.97


def test_the_same_vectors_give_the_same_points(grouped: np.ndarray, frame: Frame):
    assert np.array_equal(lay_out(grouped, None, quietly).points, frame.points)


def test_a_map_lies_as_its_start_does(grouped: np.ndarray, frame: Frame):
    turned = frame.points @ np.array([[0, 1], [-1, 0]], np.float32)
    again = lay_out(grouped, turned, quietly).points
    centres = [points.reshape(GROUPS, EACH, 2).mean(axis=1) for points in (turned, again)]
    along = [np.corrcoef(centres[0][:, axis], centres[1][:, axis])[0, 1] for axis in (0, 1)]
    assert min(along) > 0.9


@pytest.mark.parametrize("count", [1, 2, 3, 5, 17, 60])
@pytest.mark.parametrize("equal", [False, True])
def test_few_or_equal_vectors_have_points(count: int, equal: bool):
    vectors = unit(np.random.default_rng(4).normal(size=(count, DIM)))
    if equal:
        vectors = np.repeat(vectors[:1], count, axis=0)
    found = lay_out(vectors, None, quietly)
    points = found.unit(found.points)
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()
    assert np.abs(points).max() <= 1
    assert len(np.unique(points, axis=0)) == (1 if equal else count)
    if len(np.unique(points, axis=0)) > 1:
        assert np.ptp(points, axis=0).max() == pytest.approx(2, abs=0.01)


def test_two_lone_pairs_lie_apart():
    pairs = unit(np.array([[1, 0, 0], [1, 0.01, 0], [0, 0, 1], [0, 0.01, 1]]))
    neighbours = neighbours_among(pairs, 1)
    points = embed(neighbours, principal_plane(pairs.astype(np.float32)), quietly)
    within, between = np.linalg.norm(points[0] - points[1]), np.linalg.norm(points[0] - points[2])
    assert within < between / 3


def test_new_vectors_are_placed_among_their_like(grouped: np.ndarray, frame: Frame):
    chance = np.random.default_rng(5)
    new = unit(grouped.astype(np.float64) + 0.02 * chance.normal(size=grouped.shape))
    blocks = [(np.arange(300), new[:300]), (np.arange(300, 600), new[300:])]
    ids, points = (np.concatenate(parts) for parts in zip(*place(frame, blocks, 600), strict=True))
    assert np.array_equal(ids, np.arange(600))
    near = np.argmin(((points[:, None] - frame.points) ** 2).sum(axis=2), axis=1)
    assert (near // EACH == np.arange(600) // EACH).mean() > 0.99


def test_a_landmark_itself_is_placed_where_it_lies(grouped: np.ndarray, frame: Frame):
    alone = np.arange(0, 600, EACH)
    [(_, points)] = place(Frame(grouped[alone], frame.points[alone]), [(alone, grouped[alone])], len(alone))
    assert points == pytest.approx(frame.points[alone], abs=0.05)


def test_many_are_looked_up_through_a_graph(monkeypatch: pytest.MonkeyPatch):
    chance = np.random.default_rng(6)
    fixed, others = unit(chance.normal(size=(2000, DIM))), unit(chance.normal(size=(500, DIM)))
    [(_, scores, rows)] = nearest_landmarks(fixed, [(np.arange(500), others)], 500, 5)
    assert scores == pytest.approx(np.einsum("nd,nkd->nk", others.astype(float), fixed[rows].astype(float)), abs=1e-3)
    assert np.array_equal(rows[:, 0], np.argmax(others.astype(float) @ fixed.astype(float).T, axis=1))
    monkeypatch.setattr(landmarks, "_FEW", 100)
    [(_, _, quick)] = nearest_landmarks(fixed, [(np.arange(500), others)], 500, 5)
    shared = [len({*a} & {*b}) / 5 for a, b in zip(quick.tolist(), rows.tolist(), strict=True)]
    assert np.mean(shared) > 0.6
