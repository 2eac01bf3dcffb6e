"""Groups of duplicates, against what brute force says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_up import made_index, unit_rows

from clipsearch.errors import QueryError
from clipsearch.query.duplicates import duplicates
from clipsearch.query.filters import Filter

SMALL, LARGE = 300, 600


def on_circle(*degrees: float) -> np.ndarray:
    """Vectors whose cosines are those of the angles between them."""
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians), np.zeros_like(radians)], axis=1)


def ids_of(groups) -> list[list[int]]:
    """The ids of each group: the one to keep, then the others in ascending order."""
    return [[group.keep.id, *sorted(copy.id for copy in group.also)] for group in groups]


def near(snapshot, **options) -> list[list[int]]:
    return ids_of(duplicates(snapshot, "near", **options))


# --- equal bytes


def test_equal_contents_make_groups_and_the_oldest_is_kept(tmp_path):
    snapshot = made_index(
        tmp_path / "i",
        np.eye(7),
        content_hash=["a", "b", "a", "c", "b", "d", "a"],
        bytes=[10, 20, 10, 30, 20, 40, 10],
        width=[LARGE, SMALL, LARGE, SMALL, SMALL, SMALL, LARGE],
        mtime_ns=[5, 1, 3, 1, 1, 1, 4],
    )
    groups = list(duplicates(snapshot))
    assert [[group.keep.id, *(copy.id for copy in group.also)] for group in groups] == [[3, 7, 1], [2, 5]]
    assert [group.spare_bytes for group in groups] == [20, 20]
    assert {copy.similarity for group in groups for copy in (group.keep, *group.also)} == {1.0}
    keep = groups[0].keep
    assert (keep.path, keep.width, keep.height, keep.bytes) == (str(Path("/photos/3.jpg")), LARGE, 300, 10)


def test_equal_contents_outside_the_filter_do_not_count(tmp_path):
    snapshot = made_index(
        tmp_path / "i",
        np.eye(5),
        content_hash=["a", "a", "b", "b", "a"],
        file=["x/1.jpg", "y/2.jpg", "x/3.jpg", "y/4.jpg", "x/5.jpg"],
    )
    assert ids_of(duplicates(snapshot, where=Filter(folder="x"))) == [[1, 5]]
    assert ids_of(duplicates(snapshot, where="id in (3, 4)")) == [[3, 4]]
    assert ids_of(duplicates(snapshot, where="id = 1")) == []


# --- near-duplicates


def test_no_chain_the_ends_of_which_differ(tmp_path):
    """A is the same as B, B the same as C, A not the same as C."""
    chain = on_circle(0, 15, 30)
    middle_best = made_index(tmp_path / "b", chain, width=[SMALL, LARGE, SMALL])
    assert near(middle_best) == [[2, 1, 3]]
    end_best = made_index(tmp_path / "a", chain, width=[LARGE, SMALL, SMALL])
    assert near(end_best) == [[1, 2]]
    long_chain = made_index(tmp_path / "c", on_circle(*range(0, 100, 10)), height=list(range(900, 0, -90)))
    assert near(long_chain) == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_alike_embeddings_are_verified_by_the_hash(tmp_path):
    vectors = np.repeat(np.eye(3), 2, axis=0)
    snapshot = made_index(tmp_path / "i", vectors, perceptual_hash=[0, (1 << 20) - 1, 0, (1 << 21) - 1, 0, -1])
    assert near(snapshot) == [[1, 2]]


def test_the_threshold_is_the_least_cosine(tmp_path):
    snapshot = made_index(tmp_path / "i", on_circle(0, 15, 95, 100), perceptual_hash=[3, 3, 9, 9])
    assert near(snapshot) == [[1, 2], [3, 4]]
    assert near(snapshot, threshold=0.97) == [[3, 4]]
    assert near(snapshot, threshold=1) == []
    equal = made_index(tmp_path / "e", np.repeat(np.random.default_rng(0).normal(size=(20, 64)), 2, axis=0))
    assert near(equal, threshold=1) == [[i, i + 1] for i in range(1, 40, 2)]


@pytest.mark.parametrize(
    ("columns", "kept", "because"),
    [
        ({"width": [400, 500, 300], "height": [300, 200, 500]}, 3, "pixels"),
        ({"sharpness": [10.0, 100.0, 40.0], "mtime_ns": [1000, 2000, 3000]}, 2, "sharpness"),
        ({"sharpness": [70.0, 100.0, 120.0], "mtime_ns": [3000, 1000, 2000]}, 2, "age"),
        (
            {"width": [SMALL, LARGE, LARGE], "sharpness": [99.0, 9.0, 40.0], "mtime_ns": [1000, 2000, 3000]},
            3,
            "sharpness",
        ),
        ({"mtime_ns": [3000, 2000, 1000]}, 3, "age"),
        ({"mtime_ns": [None, 2000, 3000]}, 2, "age"),
        ({"mtime_ns": [1000, 1000, 1000]}, 1, "order"),
        ({"sharpness": [None, 0.0, 8.0], "mtime_ns": [1000, 2000, 3000]}, 3, "sharpness"),
        ({"width": [None, 1, 1], "height": [1, None, 1]}, 3, "pixels"),
    ],
    ids=[
        "pixels",
        "sharper",
        "hardly sharper",
        "sharpest of the largest",
        "age",
        "no age",
        "id",
        "no sharpness",
        "no size",
    ],
)
def test_the_best_is_kept_and_why_is_said(tmp_path, columns, kept, because):
    snapshot = made_index(tmp_path / "i", np.ones((3, 2)), **columns)
    [group] = duplicates(snapshot, "near")
    assert (group.keep.id, group.because) == (kept, because)
    assert sorted(copy.id for copy in group.also) == [i for i in (1, 2, 3) if i != kept]


def test_others_come_the_most_similar_first(tmp_path):
    snapshot = made_index(tmp_path / "i", on_circle(0, 12, -3, 8), width=[LARGE, SMALL, SMALL, SMALL])
    [group] = duplicates(snapshot, "near")
    assert [copy.id for copy in group.also] == [3, 4, 2]
    expected = np.cos(np.radians([3, 8, 12]))
    np.testing.assert_allclose([copy.similarity for copy in group.also], expected, atol=2e-3)
    assert group.keep.similarity == 1.0


@pytest.mark.parametrize("count", [63, 64, 65, 513, 2000])
def test_any_number_of_copies_is_found(tmp_path, count):
    """More than the neighbours looked at first."""
    rng = np.random.default_rng(count)
    others = rng.normal(size=(40, 32))
    copies = others[0] + 0.01 * rng.normal(size=(count, 32))
    vectors = np.concatenate([others[1:], copies])
    hashes = [*rng.integers(-(2**62), 2**62, 39).tolist(), *[5] * count]
    snapshot = made_index(tmp_path / "i", vectors, perceptual_hash=hashes)
    assert near(snapshot) == [list(range(40, 40 + count))]


def test_a_filter_leaves_out_the_rest_and_may_change_what_is_kept(tmp_path):
    snapshot = made_index(
        tmp_path / "i", on_circle(0, 15, 30), width=[SMALL, LARGE, SMALL], file=["x/1.jpg", "y/2.jpg", "x/3.jpg"]
    )
    assert near(snapshot, where="id != 3") == [[2, 1]]
    assert near(snapshot, where=Filter(folder="x")) == []
    assert near(snapshot, where="id > 100") == []


def brute_force(vectors, hashes, best_first, threshold):
    """The rule in plain words: the best takes all that are the same as it, then the best of the rest."""
    stored = vectors.astype(np.float64)
    asked = stored / np.linalg.norm(stored, axis=1, keepdims=True)
    cosines = asked @ stored.T
    bits = np.array([[(int(a) ^ int(b)).bit_count() for b in hashes] for a in hashes])
    margin = np.abs(bits - (20 - 150 * (1 - cosines)))
    # Where a computation in float32 may go either way there is nothing to compare.
    assume(np.abs(cosines - threshold).min() > 1e-4)
    assume(margin.min() > 1e-2)
    same = (cosines >= threshold) & (bits <= 20 - 150 * (1 - cosines))
    # Nor where the rounding of stored vectors makes it matter which of the two is asked for.
    assume(np.array_equal(same, same.T))
    groups, left = [], list(best_first)
    while left:
        keep, *rest = left
        members = [i for i in rest if same[keep, i]]
        left = [i for i in rest if not same[keep, i]]
        if members:
            groups.append([keep + 1, *sorted(i + 1 for i in members)])
    return groups


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 90), st.sampled_from([0.88, 0.93, 0.97]))
def test_groups_are_those_of_brute_force(seed, count, threshold):
    rng = np.random.default_rng(seed)
    motifs = rng.integers(0, max(1, count // 6), count)
    vectors = unit_rows(rng.normal(size=(count, 6))[motifs] + rng.uniform(0, 0.5) * rng.normal(size=(count, 6)))
    masks = rng.integers(0, 2**62, count) & rng.integers(0, 2**62, count) & rng.integers(0, 2**62, count)
    hashes = rng.integers(0, 2**62, count)[motifs] ^ masks
    widths = rng.integers(100, 104, count)
    best_first = sorted(range(count), key=lambda i: (-widths[i], i))
    expected = brute_force(vectors, hashes, best_first, threshold)
    with tempfile.TemporaryDirectory() as folder:
        snapshot = made_index(Path(folder) / "i", vectors, perceptual_hash=hashes.tolist(), width=widths.tolist())
        assert near(snapshot, threshold=threshold) == expected
        snapshot.close()


# --- anything else


@pytest.mark.parametrize("level", ["bytes", "near"])
def test_an_index_without_duplicates_and_an_empty_one(tmp_path, level):
    assert list(duplicates(made_index(tmp_path / "i", np.eye(5)), level)) == []
    assert list(duplicates(made_index(tmp_path / "e", np.ones((0, 3))), level)) == []


def test_progress_ends_at_all(tmp_path):
    seen: list[tuple[int, int]] = []
    snapshot = made_index(tmp_path / "i", np.random.default_rng(0).normal(size=(1200, 8)), width=range(1200))
    list(duplicates(snapshot, "near", progress=lambda done, total: seen.append((done, total))))
    assert seen[-1] == (1200, 1200)
    assert len(seen) > 1
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"level": "similar"}, "bytes or near"),
        ({"level": "bytes", "threshold": 0.9}, "near"),
        ({"level": "near", "threshold": 0}, "0.95"),
        ({"level": "near", "threshold": 1.01}, "0.95"),
        ({"level": "near", "threshold": float("nan")}, "0.95"),
        ({"level": "near", "where": "nonsense > 1"}, "nonsense"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(tmp_path, options, says):
    snapshot = made_index(tmp_path / "i", np.eye(2))
    with pytest.raises(QueryError, match=says):
        duplicates(snapshot, **options)


def test_pictures_without_a_hash_are_refused_for_near_only(tmp_path):
    snapshot = made_index(tmp_path / "i", np.ones((3, 2)), perceptual_hash=[1, None, None], content_hash=["a"] * 3)
    with pytest.raises(QueryError, match="2 of the pictures"):
        list(duplicates(snapshot, "near"))
    assert ids_of(duplicates(snapshot)) == [[1, 2, 3]]
    assert ids_of(duplicates(snapshot, "near", where="id = 1")) == []


def test_pictures_in_parquet_and_in_files_make_groups_alike(album, png):
    album.put("file.png", png(1))
    album.paint("other.png", 2)
    album.shard("shard.parquet", {"image": [png(1), png(3), png(1)]})
    album.build()
    with album.open() as index:
        for level in ("bytes", "near"):
            [group] = index.duplicates(level)
            paths = {group.keep.path, *(copy.path for copy in group.also)}
            shard = album.folder / "shard.parquet"
            assert paths == {str(album.folder / "file.png"), f"{shard}#0/0", f"{shard}#0/2"}


def test_removed_pictures_are_no_duplicates(album, png):
    album.put("a.png", png(1))
    gone = album.put("b.png", png(1))
    album.build()
    gone.unlink()
    with album.open() as index:
        assert len(list(index.duplicates())) == 1
        album.build()
        assert len(list(index.duplicates("near"))) == 1
        index.refresh()
        assert list(index.duplicates()) == list(index.duplicates("near")) == []
