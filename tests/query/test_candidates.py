"""k asked, k given: portions, sieve and orders against brute force over everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipsearch.query.candidates import Kept
from clipsearch.query.order import diverse_first, mmr, sorted_first
from clipsearch.query.sieve import OneOfEach


class World:
    """Pictures 0..n-1 in the order of their scores, each with a group, a picture it is a copy of, and whether it is
    excluded."""

    def __init__(self, groups, originals, excluded):
        self.groups, self.originals = np.array(groups, int), np.array(originals, int)
        self.excluded = np.array(excluded, bool)
        self.asked = []

    def __len__(self):
        return len(self.groups)

    def fetch(self, count):
        self.asked.append(count)
        ids = np.arange(min(count, len(self)))
        return (1 - ids / 1000).astype(np.float32), ids

    def sieve(self, *, grouped, unique, excluding):
        return OneOfEach(
            (lambda ids: self.excluded[ids]) if excluding else None,
            (lambda ids: self.groups[ids].tolist()) if grouped else None,
            (lambda ids, others: self.originals[ids][:, None] == self.originals[others][None]) if unique else None,
        )

    def expected(self, *, grouped, unique, excluding):
        kept = []
        for i in range(len(self)):
            if excluding and self.excluded[i]:
                continue
            if grouped and self.groups[i] in self.groups[kept]:
                continue
            if unique and self.originals[i] in self.originals[kept]:
                continue
            kept.append(i)
        return kept


@st.composite
def worlds(draw, largest=120):
    n = draw(st.integers(0, largest))
    kinds = draw(st.integers(1, 30))
    numbers = st.lists(st.integers(0, kinds), min_size=n, max_size=n)
    return World(draw(numbers) or [0][:0], draw(numbers), draw(st.lists(st.booleans(), min_size=n, max_size=n)))


rules = st.fixed_dictionaries({name: st.booleans() for name in ("grouped", "unique", "excluding")})


@settings(deadline=None)
@given(worlds(), rules, st.integers(1, 40), st.lists(st.integers(0, 150), min_size=1, max_size=4))
def test_as_many_as_asked_while_there_are_any(world, rule, portion, counts):
    expected = world.expected(**rule)
    kept = Kept(world.fetch, portion, world.sieve(**rule))
    for count in counts:
        scores, ids = kept.first(count)
        assert ids.tolist() == expected[:count]
        np.testing.assert_array_equal(scores, world.fetch(len(world))[0][ids])
        if kept.exhausted:
            assert kept.count == len(expected)


@settings(deadline=None)
@given(worlds(), st.integers(1, 40), st.integers(0, 50))
def test_no_more_is_fetched_once_every_group_is_there(world, portion, count):
    groups = len(set(world.groups.tolist()))
    kept = Kept(world.fetch, portion, world.sieve(grouped=True, unique=False, excluding=False), lambda: groups)
    assert kept.first(count)[1].tolist() == world.expected(grouped=True, unique=False, excluding=False)[:count]
    if kept.count == groups:
        needed = max(np.unique(world.groups, return_index=True)[1], default=0) + 1
        assert max(world.asked, default=0) <= max(portion, 4 * needed)


@settings(deadline=None)
@given(worlds(), rules, st.integers(1, 12), st.integers(1, 12))
def test_pages_of_different_processes_are_one_list(world, rule, page, portion):
    """Each page is found from the start by itself, as the command line does it."""
    expected = world.expected(**rule)
    paged = []
    for start in range(0, len(expected) + page, page):
        paged += Kept(world.fetch, portion, world.sieve(**rule)).first(start + page)[1][start:].tolist()
    assert paged == expected


@settings(deadline=None)
@given(st.integers(5, 200), st.integers(1, 20), st.integers(1, 200), st.randoms(use_true_random=False))
def test_a_fetch_that_finds_others_for_another_k_repeats_nothing(size, portion, count, random):
    """An approximate index may rank differently when asked for more."""
    shuffles = {n: random.sample(range(size), size) for n in (portion * 4**i for i in range(6))}

    def fetch(n):
        ids = np.array(shuffles[n][:n])
        return np.linspace(1, 0, len(ids), dtype=np.float32), ids

    whole = Kept(fetch, portion).first(size)[1].tolist()
    assert sorted(whole) == list(range(size))
    assert Kept(fetch, portion).first(count)[1].tolist() == whole[:count]


def firsts(size):
    scores = np.linspace(1, 0, size, dtype=np.float32)
    return lambda count: (scores[:count], np.arange(size)[:count])


@settings(deadline=None)
@given(st.integers(0, 400), st.data())
def test_sorted_within_the_relevant(size, data):
    relevant = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool)
    keys = np.array(data.draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)), int)
    page = data.draw(st.integers(1, 50))

    def order(ids):
        return np.argsort(keys[ids], kind="stable")

    def found(stop):
        return sorted_first(firsts(size), lambda _, ids: relevant[ids], order, page, stop)[1].tolist()

    whole = found(size)
    assert sorted(whole) == list(range(size))
    for stop in range(0, size + page, page):
        assert found(stop) == whole[:stop]
    head = [i for i in whole if relevant[i]]
    if relevant[: min(size, 64)].all() or size <= 64:
        assert whole[: len(head)] == sorted(head, key=lambda i: (keys[i], i))
        assert whole[len(head) :] == [i for i in range(size) if not relevant[i]]


def test_sorted_page_by_page_where_nothing_says_what_is_relevant():
    def backwards(ids):
        return np.argsort(-ids)

    assert sorted_first(firsts(10), None, backwards, 4, 4)[1].tolist() == [3, 2, 1, 0]
    assert sorted_first(firsts(10), None, backwards, 4, 8)[1].tolist() == [3, 2, 1, 0, 7, 6, 5, 4]
    assert sorted_first(firsts(10), None, backwards, 4, 12)[1].tolist() == [3, 2, 1, 0, 7, 6, 5, 4, 9, 8]


def unit_rows(seed, size, dim=6):
    rows = np.random.default_rng(seed).normal(size=(size, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@settings(deadline=None)
@given(st.integers(0, 350), st.integers(1, 30), st.floats(0.01, 1), st.integers(0, 2**31))
def test_diverse_pages_are_one_list_with_the_relevant_first(size, page, diversity, seed):
    rows = unit_rows(seed, size)
    relevant = np.random.default_rng(seed).random(size) < 0.5

    def found(stop, above):
        return diverse_first(firsts(size), above, lambda ids: rows[ids], diversity, page, stop)[1].tolist()

    for above in (None, lambda _, ids: relevant[ids]):
        whole = found(size, above)
        assert sorted(whole) == list(range(size))
        for stop in range(0, size + page, max(page, size // 5)):
            assert found(stop, above) == whole[:stop]
    assert relevant[whole[: relevant.sum()]].all()


@settings(deadline=None)
@given(st.integers(1, 25), st.floats(0, 1), st.integers(0, 2**31))
def test_marginal_relevance_is_greedy(size, diversity, seed):
    """Against the definition of Carbonell and Goldstein, one picture after the other."""
    rows = unit_rows(seed, size)
    scores = np.sort(np.random.default_rng(seed).random(size).astype(np.float32))[::-1]
    cosines = rows @ rows.T
    relevance = (scores - scores.mean()) / (scores.std() or 1)
    alike = (cosines - cosines.mean()) / (cosines.std() or 1)
    chosen = [0]
    while len(chosen) < size:
        left = [i for i in range(size) if i not in chosen]
        chosen.append(max(left, key=lambda i: (1 - diversity) * relevance[i] - diversity * alike[i, chosen].max()))
    got = mmr(scores, rows, diversity).tolist()
    gains = [(1 - diversity) * relevance[i] for i in range(size)]
    for turn, (mine, theirs) in enumerate(zip(got, chosen, strict=True)):
        if mine != theirs:  # a tie, to rounding
            before = got[:turn]
            values = [gains[i] - diversity * alike[i, before].max() for i in (mine, theirs)]
            assert values[0] == pytest.approx(values[1], abs=1e-4)
            break


def test_no_diversity_keeps_the_order_and_much_of_it_spreads():
    rows = unit_rows(0, 50)
    scores = np.linspace(1, 0.5, 50, dtype=np.float32)
    assert mmr(scores, rows, 0.0).tolist() == list(range(50))
    spread = [float((rows[order[:8]] @ rows[order[:8]].T).mean()) for order in (mmr(scores, rows, x) for x in (0, 0.9))]
    assert spread[1] < spread[0] - 0.05
