"""Queries on what is published, as many as come at once: embed, filter, find, choose, fetch metadata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clipsearch.errors import QueryError
from clipsearch.query.candidates import Kept, Scores
from clipsearch.query.columns import by_column, count_groups, groups_of
from clipsearch.query.copies import Copies
from clipsearch.query.cursor import Cursor, position_of
from clipsearch.query.filters import survivors
from clipsearch.query.mixing import Vector
from clipsearch.query.options import Options, digest
from clipsearch.query.order import Above, diverse_first, sorted_first
from clipsearch.query.relevance import CUT_OFF
from clipsearch.query.results import Results
from clipsearch.query.sieve import Exclusion, OneOfEach
from clipsearch.query.space import Searchable
from clipsearch.query.terms import Query
from clipsearch.query.vectors import Asked
from clipsearch.store.nearest import Nearest, Steps
from clipsearch.types import Ids, Vectors

_JUDGED_AT_ONCE = 16_384
"""Hits whose relevance is worked out together: their vectors and their queries' are held meanwhile."""

_RESERVE = 4
"""Candidates fetched at first for each result wanted, where some may be sieved out or put in another order."""


def search(
    space: Searchable,
    queries: Sequence[Query],
    options: Options,
    cursor: str | None = None,
) -> list[Results]:
    """The results of each query; texts are encoded, vectors searched and metadata fetched for all at once.

    Args:
        space: what to ask.
        queries: what is asked.
        options: how to answer each of them.
        cursor: where a single query goes on.

    Raises:
        QueryError: a query cannot be answered.
        ModelError: a model cannot be loaded.
    """
    for query in queries:
        if not (query.terms or options.like or options.unlike):
            raise QueryError("Nothing is asked: give a text, an image, an id or a vector.")
    if not queries:
        return []
    steps = Steps()
    with steps.step("encode"):
        asked = space.asked(queries, options)
    start = 0 if cursor is None else position_of(cursor, space.version, digest(queries[0], options))
    with steps.step("filter"):
        among = space.there(survivors(space.main, options.where))
    reader = _Reader(space, options, among)
    found = reader.nearest(np.stack([one.vector for one in asked]), reader.portion)
    steps.times.extend(found.plan.steps)
    with steps.step("choose"):
        pages = [reader.page(one, found, row, start) for row, one in enumerate(asked)]
    with steps.step("relevance"):
        relevances = reader.relevances(asked, pages)
    with steps.step("metadata"):
        tables = reader.metadata([page.ids for page in pages])
    plan, roots = replace(found.plan, steps=tuple(steps.times)), space.main.roots()
    results = []
    for query, page, said, rows in zip(queries, pages, relevances, tables, strict=True):
        end = Cursor(space.version, digest(query, options), start + options.k) if page.more else None
        results.append(Results(page.ids, page.scores, said, rows, plan, str(end) if end else None, roots))
    return results


@dataclass(frozen=True, slots=True)
class _Page:
    scores: Scores
    ids: Ids
    more: bool


@dataclass(frozen=True, slots=True)
class _Reader:
    """A space with what may be returned of it, and how."""

    space: Searchable
    options: Options
    among: Ids | None

    @property
    def portion(self) -> int:
        """How many candidates are fetched at first."""
        asked = self.options
        plain = not (asked.unique or asked.group_by or asked.sort_column or asked.diversity)
        return asked.k if plain else asked.k * _RESERVE

    @property
    def choices(self) -> int:
        """How many pictures may be returned."""
        return len(self.space) if self.among is None else len(self.among)

    def nearest(self, queries: Vectors, count: int) -> Nearest:
        return self.space.nearest(queries, count, among=self.among, without=self.options.like + self.options.unlike)

    def judge(self, asked: Asked) -> Judge:
        """Says how relevant pictures with their scores are to a query."""
        return partial(_judged, self.space, asked.vector, self.choices, has_text=asked.has_text)

    def relevances(self, asked: Sequence[Asked], pages: Sequence[_Page]) -> list[NDArray[np.float32] | None]:
        """The relevances of each page; pages of one kind of query together, which costs a fraction of one by one."""
        found: list[NDArray[np.float32] | None] = [None] * len(pages)
        for has_text in (False, True):
            alike = [i for i, one in enumerate(asked) if one.has_text == has_text]
            size = max(1, _JUDGED_AT_ONCE // self.options.k)
            for some in (alike[start : start + size] for start in range(0, len(alike), size)):
                lengths = [len(pages[i].ids) for i in some]
                said = _judged(
                    self.space,
                    np.stack([asked[i].vector for i in some]),
                    self.choices,
                    np.concatenate([pages[i].scores for i in some]),
                    np.concatenate([pages[i].ids for i in some]),
                    has_text=has_text,
                    owners=np.repeat(np.arange(len(some)), lengths),
                )
                if said is not None:
                    for i, part in zip(some, np.split(said, np.cumsum(lengths)[:-1]), strict=True):
                        found[i] = part
        return found

    def metadata(self, pages: Sequence[Ids]) -> list[pa.Table]:
        """The metadata of each page, fetched once for all of them."""
        table = self.space.main.records.of(np.concatenate(pages))
        starts = np.cumsum([0, *(len(page) for page in pages)]).tolist()
        return [table.slice(start, len(page)) for start, page in zip(starts, pages, strict=False)]

    def page(self, asked: Asked, found: Nearest, row: int, start: int) -> _Page:
        """The results of one of the queries from `start` on; `found` holds the first portion of all of them."""

        def fetch(count: int) -> tuple[Scores, Ids]:
            if count == self.portion:
                return found.scores[row], found.ids[row]
            more = self.nearest(asked.vector[None], count)
            return more.scores[0], more.ids[0]

        kept = Kept(fetch, self.portion, self._sieve(asked), self._most())
        stop = start + self.options.k
        scores, ids = self._ordered(kept, asked, stop)
        return _Page(scores[start:], ids[start:], len(ids) == stop and not (kept.exhausted and kept.count == stop))

    def _ordered(self, kept: Kept, asked: Asked, stop: int) -> tuple[Scores, Ids]:
        space, options = self.space, self.options
        if options.sort_column is not None:
            order = partial(by_column, space.main, column=options.sort_column, ascending=options.ascending)
            return sorted_first(kept.first, _above(self.judge(asked)), order, options.k, stop)
        if options.diversity:
            above = _above(self.judge(asked))
            return diverse_first(kept.first, above, space.vectors_of, options.diversity, options.k, stop)
        return kept.first(stop)

    def _sieve(self, asked: Asked) -> OneOfEach:
        by = self.options.group_by
        return OneOfEach(
            self._excluded(asked) if len(asked.unless) else None,
            None if by is None else partial(groups_of, self.space.main, by=by),
            Copies(self.space.main) if self.options.unique else None,
        )

    def _most(self) -> Callable[[], int] | None:
        by = self.options.group_by
        return None if by is None else partial(count_groups, self.space.main, by)

    def _excluded(self, asked: Asked) -> Exclusion:
        """Which pictures are relevant to a text that they must not be relevant to."""

        def excluded(ids: Ids) -> NDArray[np.bool_]:
            vectors = self.space.vectors_of(ids).astype(np.float32)
            found = np.zeros(len(ids), bool)
            for text in asked.unless:
                said = _judged(self.space, text, len(self.space), vectors @ text, ids, has_text=True)
                if said is None:
                    raise QueryError(
                        "This index cannot say which pictures are relevant to a text, so none can be left out for it; "
                        "push away from it with a negative weight (--minus) instead."
                    )
                found |= said >= CUT_OFF
            return found

        return excluded


Judge = Callable[[Scores, Ids], "NDArray[np.float32] | None"]
"""How relevant pictures with their scores are, float32 [n] in 0..1; None where the index cannot say."""


def _judged(
    space: Searchable,
    query: Vector,
    choices: int,
    scores: Scores,
    ids: Ids,
    *,
    has_text: bool,
    owners: NDArray[np.intp] | None = None,
) -> NDArray[np.float32] | None:
    return space.relevance(query, scores, ids, choices, has_text=has_text, owners=owners)


def _above(judge: Judge) -> Above | None:
    """Which pictures are relevant; None where the index cannot say."""

    def above(scores: Scores, ids: Ids) -> NDArray[np.bool_]:
        said = judge(scores, ids)
        return np.zeros(len(ids), bool) if said is None else said >= CUT_OFF

    return None if judge(np.empty(0, np.float32), np.empty(0, np.int64)) is None else above
