"""Scores: heads in the layouts that are published, ratings against plain references, columns like any other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import clipsearch
from clipsearch.errors import ModelError, SourceError, UsageError
from clipsearch.labels import columns_of, drop_labels
from clipsearch.labels.heads import read_head
from clipsearch.labels.ratings import learn, spearman
from tests.toy import ToyEncoder

DIM = ToyEncoder().dim


def improved(dim: int) -> nn.Module:
    """LAION's second aesthetic predictor as its code has it."""
    sizes = (1024, 128, 64, 16, 1)
    layers: list[nn.Module] = []
    for number, size in enumerate(sizes):
        layers.append(nn.Linear(dim, size))
        if number < 3:
            layers.append(nn.Dropout((0.2, 0.2, 0.1)[number]))
        dim = size
    head = nn.Module()
    head.layers = nn.Sequential(*layers)
    return head


def unit(count: int, dim: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize("dim", [512, 768])
@pytest.mark.parametrize("layout", ["linear", "named", "improved"])
def test_a_head_scores_as_the_network_it_was_saved_from(tmp_path, layout, dim, ending):
    torch.manual_seed(dim)
    head = improved(dim) if layout == "improved" else nn.Linear(dim, 1)
    state = {f"linear.{k}" if layout == "named" else k: v for k, v in head.state_dict().items()}
    file = tmp_path / f"head.{ending}"
    torch.save(state, file) if ending == "pth" else save_file(state, file)
    vectors = unit(50, dim)
    network = (head.layers if layout == "improved" else head).eval().double()
    with torch.inference_mode():
        expected = network(torch.from_numpy(vectors).double())[:, 0].numpy()
    np.testing.assert_allclose(read_head(file, dim).scores(vectors), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"weight": torch.ones(1, DIM + 1), "bias": torch.ones(1)}, f"vectors of {DIM + 1} numbers"),
        ({"weight": torch.ones(2, DIM), "bias": torch.ones(2)}, "2 numbers a picture"),
        ({"a.weight": torch.ones(4, DIM), "b.weight": torch.ones(1, 4)}, "no linear head: it has 2 layers"),
        ({"weight": torch.ones(DIM)}, "other shapes"),
        ({}, "it has 0 layers"),
    ],
)
def test_what_is_no_head_for_these_vectors_is_refused(tmp_path, state, says):
    torch.save(state, tmp_path / "head.pth")
    with pytest.raises(ModelError, match=says):
        read_head(tmp_path / "head.pth", DIM)


@pytest.mark.parametrize("content", [b"", b"not weights", None])
def test_what_is_no_file_of_weights_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "head.pth").write_bytes(content)
    with pytest.raises(ModelError, match="name"):
        read_head(tmp_path / "head.pth", DIM)


def test_ratings_that_are_linear_are_learnt_and_noise_is_not():
    x, direction = unit(400, 24), unit(1, 24, seed=1)[0].astype(np.float64)
    head, agreement = learn(x, 5 + 3 * x.astype(np.float64) @ direction)
    np.testing.assert_allclose(head.scores(x), 5 + 3 * x @ direction, atol=1e-2)
    assert agreement.mean > 0.99
    assert abs(learn(x, np.random.default_rng(2).normal(size=400))[1].mean) < 0.2


def test_rank_correlation_by_its_definition():
    assert spearman(np.array([1.0, 2, 3, 4]), np.array([10.0, 20, 30, 40])) == pytest.approx(1)
    assert spearman(np.array([1.0, 2, 3, 4]), np.array([4.0, 3, 2, 1])) == pytest.approx(-1)
    assert spearman(np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 1, 4, 3, 5])) == pytest.approx(1 - 6 * 4 / (5 * 24))
    # Ties: ranks (1.5, 1.5, 3) and (1, 2, 3).
    assert spearman(np.array([7.0, 7, 9]), np.array([1.0, 2, 3])) == pytest.approx(np.sqrt(3) / 2)
    assert spearman(np.ones(4), np.arange(4.0)) == 0


@pytest.fixture
def twenty(album):
    album.paint_many(20)
    album.build()
    return album


def saved_head(tmp_path) -> tuple[str, np.ndarray]:
    weights = unit(1, DIM, seed=3)
    torch.save({"weight": torch.from_numpy(weights), "bias": torch.tensor([0.5])}, tmp_path / "head.pth")
    return str(tmp_path / "head.pth"), weights[0]


def test_scores_are_columns_and_later_pictures_get_theirs(twenty, tmp_path):
    file, weights = saved_head(tmp_path)
    report = clipsearch.score(twenty.index, file)
    assert (report.name, report.pictures, report.scored, report.unscored) == ("aesthetic", 20, 20, 0)
    twenty.paint("later.png")
    twenty.build()
    assert columns_of(twenty.index).scores[0].unscored == 1
    [updated] = clipsearch.update_columns(twenty.index).scores
    assert (updated.scored, updated.unscored) == (1, 0)
    with twenty.open() as index:
        hits = index.search("x", k=21, sort="aesthetic")
        expected = index.vectors(hits.ids.tolist()).astype(np.float32) @ weights + 0.5
        found = [hit.metadata["aesthetic"] for hit in hits]
        np.testing.assert_allclose(found, expected, atol=1e-6)
        assert found == sorted(found, reverse=True)
        assert index.count(f"aesthetic >= {np.median(found)}") == 11
    twenty.assert_sound()
    drop_labels(twenty.index, "aesthetic")
    assert columns_of(twenty.index).scores == ()


def test_ratings_by_path_and_by_id_are_learnt(twenty, tmp_path):
    with twenty.open() as index:
        rows = index.sql("SELECT id, path, mean(id) OVER () AS _ FROM images ORDER BY id").to_pylist()
    lines = [f"{twenty.folder / row['path']},,{row['id'] % 5}" for row in rows[:8]]
    lines += [f"{row['path']},,{row['id'] % 5}" for row in rows[8:14]]
    lines += [f",{row['id']},{row['id'] % 5}" for row in rows[14:]] + ["nowhere.jpg,,3", ",999,1"]
    (tmp_path / "ratings.csv").write_text("\n".join(["path,id,rating", *lines]))
    report = clipsearch.score_from_ratings(twenty.index, tmp_path / "ratings.csv")
    assert (report.name, report.ratings, report.unknown, report.scored) == ("rating", 20, 2, 20)
    with twenty.open() as index:
        vectors = index.vectors([row["id"] for row in rows]).astype(np.float32)
        stored = index.sql("SELECT rating FROM images ORDER BY id")["rating"].to_numpy()
    head, agreement = learn(vectors, np.array([row["id"] % 5.0 for row in rows]))
    np.testing.assert_allclose(stored, head.scores(vectors), atol=1e-6)
    assert report.agreement == agreement


@pytest.mark.parametrize(
    ("name", "content", "error", "says"),
    [
        ("r.csv", "path,rating\np000.png,5\n", SourceError, "are too few"),
        ("r.csv", "path,rating\n" + "".join(f"p{i:03}.png,3\n" for i in range(12)), SourceError, "1 of them different"),
        ("r.csv", "path,stars\np000.png,5\n", SourceError, "Rating 1"),
        ("r.csv", "path,rating\np000.png,good\n", SourceError, "Rating 1"),
        ("r.jsonl", '{"path": "p000.png", "rating": 1}\n{"path"', SourceError, "cannot be read"),
        ("r.jsonl", "[1]\n", SourceError, "Rating 1"),
        ("r.xlsx", "", SourceError, r"\.csv, \.tsv nor \.jsonl"),
    ],
)
def test_what_are_no_ratings_is_refused(twenty, tmp_path, name, content, error, says):
    (tmp_path / name).write_text(content)
    with pytest.raises(error, match=says):
        clipsearch.score_from_ratings(twenty.index, tmp_path / name)


def test_a_name_that_is_taken_is_refused(twenty, tmp_path):
    with pytest.raises(UsageError, match="'sharpness' already"):
        clipsearch.score(twenty.index, saved_head(tmp_path)[0], name="sharpness")
