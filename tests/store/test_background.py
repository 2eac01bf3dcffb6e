"""Statistics of an index's vectors, against brute force."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from clipsearch.errors import IndexDamaged
from clipsearch.store import background as bg
from clipsearch.store.layout import Layout
from clipsearch.store.probes import PROBES, Probes, read_probes, write_probes

DIM = 64


def clouds(count: int, seed: int, shift: float, stretch: float = 3.0) -> np.ndarray:
    """Unit vectors that lie to one side of the origin and vary more in some directions, as a model's do; float32."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, DIM)) * np.linspace(1, stretch, DIM)
    values[:, 0] += shift
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def pictures(count: int, seed: int = 1) -> np.ndarray:
    return clouds(count, seed, shift=6.0)


def texts(count: int, seed: int = 2) -> np.ndarray:
    return clouds(count, seed, shift=-4.0, stretch=2.0)


def measured(stored: np.ndarray, probes: np.ndarray | None = None) -> bg.Background:
    found = None if probes is None else Probes(probes, "d1")
    return bg.measure(stored, found, rows=len(stored), next_id=len(stored) + 1)


def brute_prominence(queries: np.ndarray, stored: np.ndarray, probes: np.ndarray) -> np.ndarray:
    """The mean of the two z-scores of each pair, by looking at every score there is."""
    q, x, p = (v.astype(np.float64) for v in (queries, stored, probes))
    scores, of_queries, of_pictures = q @ x.T, q @ x.T, x @ p.T
    by_query = (scores - of_queries.mean(axis=1)[:, None]) / of_queries.std(axis=1)[:, None]
    by_picture = (scores - of_pictures.mean(axis=1)) / of_pictures.std(axis=1)
    return (by_query + by_picture) / 2


def test_centre_and_spread_are_mean_and_deviation_of_the_scores_with_all_pictures():
    stored, [query] = pictures(500), texts(1)
    found = measured(stored)
    scores = stored.astype(np.float64) @ query
    assert found.centre(query) == pytest.approx(scores.mean(), abs=1e-5)
    assert found.spread(query) == pytest.approx(scores.std(), rel=1e-4)


def test_statistics_of_float16_vectors_are_those_of_the_vectors_as_stored():
    stored, [query] = pictures(300).astype(np.float16), texts(1)
    assert measured(stored).spread(query) == pytest.approx((stored.astype(np.float64) @ query).std(), rel=1e-3)


def test_prominence_is_the_mean_of_the_score_s_places_among_both_sides_scores():
    stored, probes, queries = pictures(400), texts(150), texts(7, seed=5)
    found = measured(stored, probes)
    got = bg.prominence(queries, found.by_text.queries, queries @ stored.T, stored, found.pictures)
    np.testing.assert_allclose(got, brute_prominence(queries, stored, probes), atol=2e-3)


@pytest.mark.parametrize("total", [1000, 30_000])
def test_the_tail_is_how_often_an_unrelated_query_s_best_picture_stands_so_high(total):
    """Also in an index far larger than the sample: 1,000 pictures tell about 30,000."""
    stored, probes = pictures(total), texts(400)
    found = measured(stored[:1000], probes)
    unseen = texts(600, seed=9)
    best = brute_prominence(unseen, stored, probes).max(axis=1)
    for level in (0.1, 0.2, 0.5):
        threshold = np.quantile(best, 1 - level).astype(np.float32)
        [claimed] = found.by_text.peaks.tail(threshold[None], total)
        assert level / 2 < claimed < level * 2, (level, claimed)


def test_probes_whose_pictures_are_there_do_not_spoil_it():
    stored, probes = pictures(1000), texts(400)
    clean = measured(stored, probes).by_text.peaks
    present = stored.copy()
    # A quarter of the probes get a picture that has much of them.
    blend = stored[:100] + probes[:100]
    present[:100] = blend / np.linalg.norm(blend, axis=1, keepdims=True)
    spoilt = measured(present, probes)
    best = brute_prominence(probes[:100], present, probes).max(axis=1)
    assert np.median(clean.tail(best.astype(np.float32), 1000)) < 0.02, "they do stand out"
    at = np.array([clean.location + clean.scale], np.float32)
    [honest], [claimed] = clean.tail(at, 1000), spoilt.by_text.peaks.tail(at, 1000)
    assert 0.3 < honest < 0.4
    assert claimed < 0.55


def test_a_picture_is_no_answer_to_itself():
    stored = pictures(600)
    peaks = measured(stored).by_picture.peaks
    apart = brute_prominence(stored, stored, stored)
    own = np.diag(apart).copy()
    np.fill_diagonal(apart, -np.inf)
    assert own.min() > np.quantile(apart.max(axis=1), 0.6)
    [claimed] = peaks.tail(np.quantile(apart.max(axis=1), [0.5]).astype(np.float32), 600)
    assert 0.3 < claimed < 0.7


def test_the_tail_falls_with_prominence_and_rises_with_the_number_of_pictures():
    peaks = measured(pictures(500), texts(200)).by_text.peaks
    heights = np.linspace(-100, 100, 41, dtype=np.float32)
    tails = [peaks.tail(heights, count) for count in (1, 100, 10_000, 10**9)]
    for tail in tails:
        assert np.isfinite(tail).all()
        assert (np.diff(tail) <= 0).all()
        assert tail[0] == 1
        assert tail[-1] < 1e-9
    for fewer, more in pairwise(tails):
        assert (more >= fewer).all()


def test_the_largest_of_normal_numbers():
    rng = np.random.default_rng(0)
    for count in (1, 10, 1000):
        drawn = rng.normal(size=(4000, count)).max(axis=1).mean()
        assert bg.largest_normal(count) == pytest.approx(drawn, abs=0.05)


def test_without_probes_nothing_is_known_of_texts():
    found = measured(pictures(100))
    assert found.by_text is None
    assert found.by_picture is not None


@pytest.mark.parametrize("count", [1, 2, 3, 49])
def test_a_handful_of_pictures_has_moments_and_no_peaks(count):
    found = measured(pictures(count), texts(50))
    assert np.isfinite(found.pictures.covariance).all()
    assert found.spread(pictures(1)[0]) > 0
    assert found.by_text is None
    assert found.by_picture is None


def test_pictures_that_are_all_the_same_break_nothing():
    found = measured(np.repeat(pictures(1), 80, axis=0), texts(50))
    query = texts(1)[0]
    assert found.spread(query) > 0
    assert np.isfinite(found.by_text.peaks.tail(np.array([0.0], np.float32), 80)).all()


def test_a_sample_is_drawn_evenly_and_always_the_same():
    few = np.arange(5, dtype=np.int64) * 3
    assert bg.sample(few).tolist() == few.tolist()
    many = np.arange(200_000, dtype=np.int64) * 2 + 1
    drawn = bg.sample(many)
    assert len(drawn) == bg.SAMPLE
    assert (np.diff(drawn) > 0).all()
    assert np.isin(drawn, many).all()
    assert drawn.tolist() == bg.sample(many).tolist()
    share, _ = np.histogram(drawn, bins=10, range=(0, 400_000))
    assert (abs(share / bg.SAMPLE - 0.1) < 0.01).all()


@pytest.mark.parametrize(
    ("rows", "next_id", "due"),
    [
        (1000, 1001, False),
        (1040, 1041, False),  # 40 added
        (1060, 1061, True),  # 60 added
        (960, 1001, False),  # 40 removed
        (940, 1001, True),  # 60 removed
        (1000, 1031, True),  # 30 replaced: 30 added, 30 removed
    ],
)
def test_statistics_are_due_again_once_a_twentieth_has_changed(rows, next_id, due):
    old = measured(pictures(1000), texts(50))
    assert bg.is_due(old, None, rows=rows, next_id=next_id) is due


def test_statistics_are_due_where_there_are_none_or_probes_are_new():
    old = measured(pictures(100))
    assert bg.is_due(None, None, rows=100, next_id=101)
    assert not bg.is_due(old, None, rows=100, next_id=101)
    assert bg.is_due(old, Probes(texts(50), "d1"), rows=100, next_id=101)
    new = measured(pictures(100), texts(50))
    assert not bg.is_due(new, Probes(texts(50), "d1"), rows=100, next_id=101)
    assert bg.is_due(new, Probes(texts(50), "d2"), rows=100, next_id=101)


@pytest.mark.parametrize("probes", [None, texts(50)], ids=["without probes", "with probes"])
def test_what_is_written_is_read_again(tmp_path: Path, probes):
    found = measured(pictures(120), probes)
    bg.write(tmp_path / "a.npz", found)
    bg.write(tmp_path / "b.npz", measured(pictures(120), probes))
    again = bg.read(tmp_path / "a.npz")
    np.testing.assert_array_equal(again.pictures.mean, found.pictures.mean)
    np.testing.assert_array_equal(again.pictures.covariance, found.pictures.covariance)
    assert again.by_picture.peaks == found.by_picture.peaks
    assert (again.sampled, again.rows, again.next_id, again.probes) == (120, 120, 121, found.probes)
    if probes is None:
        assert again.by_text is None
    else:
        assert again.by_text.peaks == found.by_text.peaks
        np.testing.assert_array_equal(again.by_text.queries.covariance, found.by_text.queries.covariance)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes(), "the same vectors, the same file"


@pytest.mark.parametrize("content", [b"", b"no zip", None], ids=["empty", "nonsense", "cut off"])
def test_a_damaged_file_is_reported(tmp_path: Path, content):
    path = tmp_path / "background-000001.npz"
    bg.write(path, measured(pictures(60), texts(20)))
    path.write_bytes(path.read_bytes()[:-700] if content is None else content)
    with pytest.raises(IndexDamaged, match="clipsearch repair"):
        bg.read(path)


def test_a_missing_file_is_reported(tmp_path: Path):
    with pytest.raises(IndexDamaged, match="cannot be read"):
        bg.read(tmp_path / "background-000001.npz")


def test_probes_belong_to_one_model(tmp_path: Path):
    layout = Layout(tmp_path)
    assert read_probes(tmp_path, "model-1") is None
    write_probes(layout, "model-1", Probes(texts(30), "d1"))
    again = read_probes(tmp_path, "model-1")
    assert again.digest == "d1"
    assert again.vectors.dtype == np.float32
    np.testing.assert_allclose(again.vectors, texts(30), atol=1e-3)
    assert read_probes(tmp_path, "model-2") is None


@pytest.mark.parametrize("keep", [0, 10, -300])
def test_damaged_probes_are_no_probes(tmp_path: Path, keep):
    write_probes(Layout(tmp_path), "model-1", Probes(texts(30), "d1"))
    path = tmp_path / PROBES
    path.write_bytes(path.read_bytes()[:keep])
    assert read_probes(tmp_path, "model-1") is None
