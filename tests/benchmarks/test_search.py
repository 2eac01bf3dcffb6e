import subprocess
import sys

import numpy as np
import pytest

from tests.benchmarks.search.truth import exact, recall
from tests.benchmarks.search.vectors import BLOCK, World


@pytest.fixture(scope="module")
def world():
    return World(dim=64)


def test_rows_are_the_same_however_many_are_asked_for(world):
    few, many = list(world.blocks(10)), list(world.blocks(BLOCK + 10))
    assert [len(vectors) for vectors, _ in many] == [BLOCK, 10]
    assert np.array_equal(few[0][0], many[0][0][:10])
    assert np.array_equal(few[0][1], many[0][1][:10])
    assert np.allclose(np.linalg.norm(many[0][0], axis=1), 1, atol=1e-5)


def test_the_modalities_lie_apart(world):
    [(pictures, _)] = world.blocks(1000)
    texts = world.text_queries(1000)
    assert np.mean(pictures[:500] @ pictures[500:].T) == pytest.approx(world.shape.picture_cone, abs=0.08)
    assert np.mean(pictures @ texts.T) == pytest.approx(world.shape.gap, abs=0.05)


def test_neighbours_on_the_shelf_are_alike(world):
    [(vectors, shelves)] = world.blocks(4000)
    assert np.quantile(shelves, (0.1, 0.5, 0.9)) == pytest.approx((0.1, 0.5, 0.9), abs=0.03)
    near = vectors[np.argsort(shelves)]
    assert np.mean(np.sum(near[1:] * near[:-1], axis=1)) > np.mean(vectors[:500] @ vectors[500:1000].T) + 0.1


def test_brute_force_in_blocks_finds_what_sorting_everything_finds(world):
    base = np.concatenate([vectors for vectors, _ in world.blocks(3000)])
    queries, kept = world.text_queries(20), np.arange(3000) % 500 == 0
    expected = np.argsort(-(queries @ base.T), axis=1)[:, :10]
    assert np.array_equal(exact(queries, [base[:1700], base[1700:]], 10), expected)
    filtered = exact(queries, [base[:1700], base[1700:]], 10, kept)
    assert np.all(np.sort(filtered, axis=1)[:, 4:] == np.flatnonzero(kept))
    assert recall(expected[:, ::-1], expected) == 1
    assert recall(np.where(np.arange(10) < 5, expected, -1), expected) == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("command", ["engine", "filters", "latency"])
def test_a_small_run(tmp_path_factory, command):
    folder = tmp_path_factory.getbasetemp() / "search-benchmark"
    run = [sys.executable, "-m", "tests.benchmarks.search", command, "--rows", "2000", "--queries", "20"]
    done = subprocess.run([*run, "--folder", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) >= 5
    if command == "engine":
        assert "| recall@10, pictures / texts | 1.0000 / 1.0000 |" in rows
