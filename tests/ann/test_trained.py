"""Trained indexes against brute force: what they find, mapped lists against FAISS's own, what tuning promises."""

from __future__ import annotations

import faiss
import numpy as np
import pytest

from clipsearch.ann.exact import decoded, nearest_of_all
from clipsearch.ann.recipes import OperatingPoint, operating_point, recipe_named
from clipsearch.ann.selection import Selection
from clipsearch.ann.trained import TrainedIndex
from clipsearch.ann.training import extend_trained, partly_filled, sample_size, train, write_trained
from clipsearch.ann.tuning import Trial, tune
from clipsearch.errors import IndexDamaged

DIM = 64


def clustered(count: int, seed: int = 0) -> np.ndarray:
    """Unit vectors in overlapping clusters, float16 [count, DIM]."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(60, DIM))
    values = centres[random.integers(60, size=count)] + 0.9 * random.normal(size=(count, DIM))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture(scope="module", params=["ivf-pq2", "ivf-pq4"])
def world(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ann")
    vectors, ids = clustered(6000), np.arange(6000) * 2 + 3
    index = train(vectors[: sample_size(6000)], 6000, recipe_named(request.param, DIM))
    blocks = [(ids[i : i + 700], vectors[i : i + 700]) for i in range(0, 6000, 700)]
    write_trained(index, blocks, folder / "ivf", folder / "lists")
    return folder, TrainedIndex(folder / "ivf", folder / "lists"), ids, vectors


@pytest.fixture(scope="module")
def queries() -> np.ndarray:
    return decoded(clustered(40, seed=5))


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean([np.isin(t, f).mean() for t, f in zip(truth, found, strict=True)]))


def everywhere(index: TrainedIndex) -> OperatingPoint:
    return OperatingPoint(10, index.list_count, 400)


def test_looking_everywhere_finds_all_but_what_codes_blur(world, queries):
    _, index, ids, vectors = world
    _, truth = nearest_of_all(queries, [(ids, vectors)], 10)
    found = index.candidates(queries, 400, everywhere(index))
    assert found.shape == (40, 400)
    assert recall(found, truth) > 0.99
    assert recall(index.candidates(queries, 6000, everywhere(index)), truth) == 1


def test_every_id_is_there_once(world):
    _, index, ids, _ = world
    found = index.candidates(decoded(clustered(1)), 6000, everywhere(index))[0]
    np.testing.assert_array_equal(np.sort(found), ids)
    numbers = index.lists_by_id(int(ids[-1]) + 1)
    np.testing.assert_array_equal(np.flatnonzero(numbers >= 0), ids)


def test_mapped_lists_equal_faiss_in_memory(tmp_path, queries):
    vectors, ids = clustered(3000), np.arange(3000)
    index = train(vectors, 3000, recipe_named("ivf-pq2", DIM))
    other = faiss.clone_index(index)
    other.add_with_ids(decoded(vectors), ids)
    other.nprobe = 9
    write_trained(index, [(ids, vectors)], tmp_path / "ivf", tmp_path / "lists")
    mapped = TrainedIndex(tmp_path / "ivf", tmp_path / "lists").candidates(queries, 50, OperatingPoint(50, 9, 50))
    np.testing.assert_array_equal(mapped, other.search(queries, 50)[1])


@pytest.mark.parametrize("share", [1.0, 0.3, 0.01])
def test_a_selection_is_kept_to(world, queries, share):
    _, index, ids, _ = world
    allowed = np.sort(np.random.default_rng(1).choice(ids, int(share * len(ids)), replace=False))
    found = index.candidates(queries, 100, everywhere(index), Selection.of(allowed))
    wanted = min(100, len(allowed))
    assert (found[:, :wanted] >= 0).all()
    assert np.isin(found[found >= 0], allowed).all()
    lists = np.argsort(-index.list_scores(queries[:1]))
    picked = index.candidates_in(queries[:1], 100, lists, Selection.of(allowed))
    np.testing.assert_array_equal(np.sort(picked), np.sort(found[:1]))


def test_picked_lists_are_the_ones_looked_at(world, queries):
    _, index, ids, _ = world
    numbers = index.lists_by_id(int(ids[-1]) + 1)
    lists = np.argsort(-index.list_scores(queries[:1]))[3:7]
    found = index.candidates_in(queries[:1], 6000, lists)
    found = found[found >= 0]
    np.testing.assert_array_equal(np.sort(found), np.flatnonzero(np.isin(numbers, lists)))


def test_lists_out_of_reach_are_passed_over(world, queries):
    _, index, ids, _ = world
    numbers = index.lists_by_id(int(ids[-1]) + 1)
    scores = np.stack([index.list_scores(query[None]) for query in queries])
    ranked = -np.sort(-scores, axis=1)
    reach = float(np.median(ranked[:, 9] - ranked[:, 15]))
    found = index.candidates(queries, 6000, OperatingPoint(10, 30, 6000, reach=reach))
    for row, query_scores in zip(found, scores, strict=True):
        nearest = np.argsort(-query_scores)[:30]
        within = nearest[query_scores[nearest] >= np.sort(query_scores)[-10] - reach]
        np.testing.assert_array_equal(np.sort(row[row >= 0]), np.flatnonzero(np.isin(numbers, within)))
    assert len({int((row >= 0).sum()) for row in found}) > 1


def test_extending_equals_having_all_from_the_start(world, tmp_path, queries):
    folder, _, ids, vectors = world
    new_vectors, new_ids = clustered(900, seed=7), np.arange(900) + 50_000
    again = partly_filled(folder / "ivf", folder / "lists")
    assert 0 < len(again) < len(ids)
    gone, kept = again[:5], again[5:]
    added = [(kept, vectors[(kept - 3) // 2]), (new_ids, new_vectors)]
    extend_trained(folder / "ivf", folder / "lists", added, tmp_path / "ivf", tmp_path / "lists")
    index = TrainedIndex(tmp_path / "ivf", tmp_path / "lists")
    all_ids = np.concatenate([np.setdiff1d(ids, gone), new_ids])
    found = index.candidates(queries, len(all_ids) + 10, everywhere(index))
    np.testing.assert_array_equal(np.sort(found[0][found[0] >= 0]), all_ids)
    blocks = [(ids[~np.isin(ids, gone)], vectors[~np.isin(ids, gone)]), (new_ids, new_vectors)]
    _, truth = nearest_of_all(queries, blocks, 10)
    assert recall(index.candidates(queries, 400, everywhere(index)), truth) > 0.99


def test_tuning_reaches_the_recall_on_other_queries(world):
    _, index, ids, vectors = world
    asked, others = decoded(clustered(150, seed=11)), decoded(clustered(150, seed=12))
    _, truth = nearest_of_all(asked, [(ids, vectors)], 1000)
    points = tune(index, [Trial(asked, truth)], 6000, 0.95)
    assert [point.k for point in points] == [10, 100, 1000]
    assert all(point.recalls[0] >= 0.95 for point in points)
    assert points[0].probes < index.list_count
    _, truth = nearest_of_all(others, [(ids, vectors)], 10)
    assert recall(index.candidates(others, points[0].candidates, points[0]), truth) > 0.93


def test_a_stored_picture_is_no_answer_to_itself(world):
    _, index, ids, vectors = world
    asked = decoded(vectors[:100])
    _, truth = nearest_of_all(asked, [(ids, vectors)], 11)
    others = np.stack([row[row != own][:10] for row, own in zip(truth, ids[:100], strict=True)])
    [point] = tune(index, [Trial(asked, others, ids[:100])], 30, 0.9)
    found = index.candidates(asked, point.candidates, point)
    assert recall(found, others) == pytest.approx(point.recalls[0], abs=0.02)


def test_operating_points_between_and_beyond():
    points = (OperatingPoint(10, 16, 100), OperatingPoint(100, 64, 400), OperatingPoint(1000, 256, 2500))
    assert operating_point(points, 3) == points[0]
    assert operating_point(points, 100).probes == 64
    assert operating_point(points, 32).probes == pytest.approx(32, abs=1)
    assert operating_point(points, 4000) == OperatingPoint(4000, 1024, 10_000)


def test_the_reach_between_two_points_is_the_longer_one_and_there_is_none_beyond():
    points = (OperatingPoint(10, 16, 100, reach=0.1), OperatingPoint(100, 64, 400, reach=0.2))
    assert [operating_point(points, k).reach for k in (10, 30, 100, 200)] == [0.1, 0.2, 0.2, None]
    assert operating_point((points[0], OperatingPoint(100, 64, 400)), 30).reach is None


@pytest.mark.parametrize("spoil", ["missing", "short", "garbage"])
def test_damaged_lists_are_refused(tmp_path, spoil):
    vectors = clustered(800)
    index = train(vectors, 800, recipe_named("ivf-pq4", DIM))
    write_trained(index, [(np.arange(800), vectors)], tmp_path / "ivf", tmp_path / "lists")
    if spoil == "missing":
        (tmp_path / "lists").unlink()
    else:
        data = (tmp_path / "lists").read_bytes()
        (tmp_path / "lists").write_bytes(data[: len(data) // 2] if spoil == "short" else b"\xff" * 64)
    with pytest.raises(IndexDamaged, match="repair"):
        TrainedIndex(tmp_path / "ivf", tmp_path / "lists")
