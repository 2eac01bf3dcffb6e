"""The vector index of a version, trained and extended as it grows, against a dictionary and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipsearch.ann import recipes
from clipsearch.errors import IndexDamaged
from clipsearch.store import check
from clipsearch.store.snapshot import Snapshot
from tests.store.conftest import Store, rows_of, unit_vectors


def lower_bands(monkeypatch):
    """Set borders so low that a few hundred pictures go through every recipe."""
    monkeypatch.setattr(recipes, "EXACT_NUMBERS", 300 * 8)
    monkeypatch.setattr(recipes, "TAIL_LEAST", 40)
    monkeypatch.setattr(recipes, "TAIL_MOST", 60)


@pytest.fixture
def small_bands(monkeypatch):
    lower_bands(monkeypatch)


def brute_force(truth: dict[int, np.ndarray], query: np.ndarray, k: int) -> dict[int, float]:
    scores = {i: float(v.astype(np.float64) @ query) for i, v in truth.items()}
    return dict(sorted(scores.items(), key=lambda item: -item[1])[:k])


def assert_answers(snapshot: Snapshot, truth: dict[int, np.ndarray], queries: np.ndarray, k: int) -> float:
    """Every answer is a picture with its true score, in order, and as many as there are; returns the recall."""
    found = snapshot.nearest(queries, k)
    assert found.ids.shape == (len(queries), min(k, len(truth)))
    recalls = []
    for query, scores, ids in zip(queries, found.scores, found.ids, strict=True):
        assert len(set(ids.tolist())) == len(ids)
        np.testing.assert_allclose(scores, [truth[i].astype(np.float32) @ query for i in ids.tolist()], atol=1e-5)
        assert (np.diff(scores) <= 1e-6).all()
        best = brute_force(truth, query, k)
        recalls.append(len(best.keys() & set(ids.tolist())) / len(best) if best else 1.0)
    return float(np.mean(recalls))


def state(store: Store) -> str:
    snapshot = Snapshot(store.path)
    trained = snapshot.manifest.trained
    snapshot.close()
    return "exact" if trained is None else f"trained below {trained.below}"


def test_an_index_is_trained_extended_and_trained_anew_as_it_grows(store, small_bands):
    queries = unit_vectors(30, 5000).astype(np.float32)
    seen = []
    with store.writer() as w:
        for count in (200, 200, 30, 40, 500, 10):
            store.add(w, count)
            w.publish()
            seen.append(state(store))
            snapshot = Snapshot(store.path)
            assert assert_answers(snapshot, store.truth, queries, 10) > 0.9
            assert assert_answers(snapshot, store.truth, queries[:2], 5000) == 1
            snapshot.close()
            assert check.verify(store.path).problems == ()
    assert seen == ["exact", *["trained below 401"] * 2, "trained below 471", *["trained below 971"] * 2]


def test_a_row_that_comes_later_than_its_id_is_found_in_a_trained_index(store, small_bands):
    """As in a space that could not read some pictures at first."""
    vectors, late = unit_vectors(400, 1), [5, 6, 77]
    early = [i for i in range(1, 401) if i not in late]
    with store.writer() as w:
        for ids in (early, late):
            w.spend_ids(401)
            w.append(rows_of(ids), vectors[[i - 1 for i in ids]])
            w.publish()
            assert state(store) == "trained below 401"
    store.truth |= {i: vectors[i - 1] for i in range(1, 401)}
    snapshot = Snapshot(store.path)
    assert assert_answers(snapshot, store.truth, unit_vectors(10, 2).astype(np.float32), 400) == 1
    assert assert_answers(snapshot, store.truth, vectors[[4, 5, 76]].astype(np.float32), 1) == 1
    assert check.verify(store.path).problems == ()


def test_what_is_removed_is_gone_at_once_and_many_removals_lead_to_training(store, small_bands):
    queries = unit_vectors(10, 5000).astype(np.float32)
    with store.writer() as w:
        ids = store.add(w, 800)
        w.publish()
        for gone in (ids[:20], ids[20:150], ids[150:400]):
            store.remove(w, gone)
            w.publish()
            snapshot = Snapshot(store.path)
            assert not np.isin(snapshot.nearest(queries, 300).ids, gone).any()
            assert assert_answers(snapshot, store.truth, queries, 10) > 0.9
            snapshot.close()
        assert (state(store), w.manifest.trained.dead) == ("trained below 801", 400)
        store.add(w, 1)
        w.publish()
    assert (state(store), w.manifest.trained.dead) == ("trained below 802", 0)
    assert check.verify(store.path).problems == ()


def test_too_few_pictures_make_it_exact_again(store, small_bands):
    with store.writer() as w:
        ids = store.add(w, 400)
        w.publish()
        assert state(store) != "exact"
        store.remove(w, ids[:200])
        w.publish()
        assert state(store) != "exact", "not back and forth around the border"
        store.remove(w, ids[200:260])
        w.publish()
    assert state(store) == "exact"
    store.published()
    assert check.verify(store.path).problems == ()


def test_another_recall_tunes_the_index_there_is(store, small_bands):
    with store.writer() as w:
        store.add(w, 1500)
        w.publish()
        before = Snapshot(store.path).manifest.trained
        w.tuning = w.tuning.changed(0.6, None)
        w.publish()
    after = Snapshot(store.path).manifest.trained
    assert (after.index, after.lists, after.recall) == (before.index, before.lists, 0.6)
    assert after.points[0].probes < before.points[0].probes
    store.published()


def test_a_memory_budget_picks_the_recipe():
    tuning = recipes.Tuning
    assert recipes.choose(50_000, 512, tuning()) == "exact"
    assert recipes.choose(1_000_000, 512, tuning()) == "ivf-pq2"
    assert recipes.choose(100_000, 512, tuning(memory=60_000_000)) == "ivf-pq2"
    assert recipes.choose(1_000_000, 512, tuning(memory=120_000_000)) == "ivf-pq4"
    for name in ("exact", "ivf-pq2", "ivf-pq4"):
        budget = tuning(memory=recipes.memory_of(name, 50_000, 512))
        assert recipes.choose(50_000, 512, budget) == name


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trained index of 1,500 pictures and 30 newer ones."""
    store = Store(tmp_path_factory.mktemp("trained") / "photos.index")
    with pytest.MonkeyPatch.context() as patch:
        lower_bands(patch)
        with store.writer() as w:
            store.add(w, 1500)
            w.publish()
            store.add(w, 30)
            w.publish()
    return store


@pytest.mark.parametrize("share", [0.9, 0.4, 0.2, 0.05, 0.01, 0.002])
@pytest.mark.parametrize("kind", ["random", "clustered"])
def test_filtered_search_of_a_trained_index(trained, monkeypatch, share, kind):
    monkeypatch.setattr("clipsearch.store.search._FEW", 0)
    monkeypatch.setattr("clipsearch.store.search._FETCH", 1e9)
    queries = unit_vectors(20, 5000).astype(np.float32)
    ids = np.array(sorted(trained.truth))
    chosen = np.random.default_rng(3).permutation(ids)
    if kind == "clustered":
        chosen = ids[np.argsort(-np.array([trained.truth[i] for i in ids]).astype(np.float32) @ unit_vectors(1, 77)[0])]
    among = np.sort(chosen[: max(1, int(share * len(ids)))])
    snapshot = Snapshot(trained.path)
    for k in (1, 10, 100):
        found = snapshot.nearest(queries, k, among=among)
        assert found.ids.shape == (20, min(k, len(among)))
        assert found.plan.survivors == len(among)
        matching = {i: trained.truth[i] for i in among.tolist()}
        recalls = [
            len(brute_force(matching, q, k).keys() & set(i.tolist())) / min(k, len(among))
            for q, i in zip(queries, found.ids, strict=True)
        ]
        assert np.mean(recalls) > 0.93
    snapshot.close()


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 120)),
        st.tuples(st.just("remove"), st.integers(1, 90)),
        st.tuples(st.just("rename"), st.integers(1, 20)),
        st.tuples(st.just("publish"), st.integers(0, 10**6)),
    ),
    min_size=3,
    max_size=14,
)


@settings(max_examples=12, deadline=None)
@given(steps=steps)
def test_any_history_against_a_dictionary(tmp_path_factory, steps):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "EXACT_NUMBERS", 90 * 8)
        patch.setattr(recipes, "TAIL_LEAST", 15)
        patch.setattr(recipes, "TAIL_MOST", 25)
        store = Store(tmp_path_factory.mktemp("store") / "index")
        with store.writer() as w:
            for number, (what, size) in enumerate([*steps, ("publish", 1)]):
                known = sorted(store.truth)
                random = np.random.default_rng([size, number])
                if what == "add":
                    store.add(w, size)
                elif what == "remove" and known:
                    store.remove(w, random.choice(known, min(size, len(known)), replace=False).tolist())
                elif what == "rename" and known:
                    ids = random.choice(known, min(size, len(known)), replace=False).tolist()
                    moved = [f"{number}/{i}.jpg" for i in ids]
                    w.append(rows_of(ids, moved), np.stack([store.truth[i] for i in ids]))
                elif what == "publish":
                    w.publish()
                    snapshot = Snapshot(store.path)
                    queries = unit_vectors(4, size).astype(np.float32)
                    if known:  # what came last is found by the very next search
                        queries[0] = store.truth[known[-1]].astype(np.float32)
                        assert snapshot.nearest(queries[:1], 1).ids[0, 0] == known[-1]
                    assert_answers(snapshot, store.truth, queries, 7)
                    assert assert_answers(snapshot, store.truth, queries, 10**6) == 1
                    snapshot.close()
        assert check.verify(store.path).problems == ()
        check.repair(store.path)
        store.published()


def test_a_segment_with_fewer_vectors_than_it_should_have_is_refused(store):
    with store.writer() as w:
        store.add(w, 5)
        w.publish()
    [path] = store.layout.segments.glob("*/vectors.npy")
    np.save(path, np.load(path)[:3])
    snapshot = Snapshot(store.path)
    assert len(snapshot.vectors_of(sorted(store.truth)[:3])) == 3
    with pytest.raises(IndexDamaged, match="clipsearch repair"):
        snapshot.vectors_of(sorted(store.truth))
    snapshot.close()


def test_copies_are_found_in_a_trained_index(store, small_bands):
    with store.writer() as w:
        originals = store.add(w, 900)
        close = np.stack([store.truth[i] for i in originals[::3]]).astype(np.float32)
        close += 0.05 * unit_vectors(len(close), 77).astype(np.float32)
        close = (close / np.linalg.norm(close, axis=1, keepdims=True)).astype(np.float16)
        copies = list(w.take_ids(len(close)))
        w.append(rows_of(copies), close)
        store.truth |= dict(zip(copies, close, strict=True))
        w.publish()
    snapshot = Snapshot(store.path)
    assert snapshot.manifest.trained is not None
    found = snapshot.alike(snapshot.vectors_of(originals[::3]).astype(np.float32), 8)
    assert found.ids.shape == (len(copies), 8)
    together = [copy in ids for copy, ids in zip(copies, found.ids.tolist(), strict=True)]
    assert np.mean(together) > 0.99
    snapshot.close()
