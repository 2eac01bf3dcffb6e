"""Pictures in parts, on several threads, against one at a time on one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from clipsearch.models.names import MINI
from clipsearch.models.towers.image_tower import ImageTower

GRAPH = MINI / "image.onnx"


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (13, 192, 192, 3), np.uint8)


@pytest.fixture(scope="module")
def one_by_one(pictures: np.ndarray) -> np.ndarray:
    tower = ImageTower(GRAPH, threads=1)
    return np.concatenate([tower(picture[None]) for picture in pictures])


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 3, 8, 13])
def test_every_picture_has_its_own_vector(
    threads: int, count: int, pictures: np.ndarray, one_by_one: np.ndarray
) -> None:
    found = ImageTower(GRAPH, threads)(pictures[:count])
    assert found.shape == (count, 256)
    np.testing.assert_allclose(found, one_by_one[:count], atol=1e-5)


def test_few_after_many_and_many_callers_at_once(pictures: np.ndarray, one_by_one: np.ndarray) -> None:
    tower = ImageTower(GRAPH, threads=2)
    with ThreadPoolExecutor(4) as callers:
        found = list(callers.map(lambda count: tower(pictures[:count]), (13, 1, 8, 2, 13, 5)))
    for vectors in found:
        np.testing.assert_allclose(vectors, one_by_one[: len(vectors)], atol=1e-5)
