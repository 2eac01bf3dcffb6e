"""Looking through an index without a query: the pictures that pass a filter, in the order of a column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from clipsearch.query.candidates import Kept, Scores
from clipsearch.query.columns import count_groups, groups_of, sort_key
from clipsearch.query.copies import Copies
from clipsearch.query.cursor import Cursor, position_of
from clipsearch.query.filters import conditions_of, filter_of
from clipsearch.query.options import NEWEST, Options, digest
from clipsearch.query.sieve import OneOfEach
from clipsearch.query.terms import Query
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Ids

_RESERVE = 4
"""Pictures fetched at first for each one wanted, where some may be sieved out."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the pictures of an index, in an order.

    Attributes:
        rows: the columns of the `images` view, one row a picture.
        cursor: what to give to `browse` for the next page; None where there is no more.
    """

    rows: pa.Table
    cursor: str | None

    def __len__(self) -> int:
        return int(self.rows.num_rows)


def browse(snapshot: Snapshot, options: Options, cursor: str | None = None) -> Page:
    """The first pictures in the order of `options.sort`, or those that follow a cursor.

    Raises:
        QueryError: something asked cannot be used.
    """
    asked = digest(Query(), options)
    version = str(snapshot.manifest.version)
    start = position_of(cursor, version, asked)
    stop = start + options.k
    kept = _kept(snapshot, options, stop)
    # One more than wanted tells whether there is a next page.
    ids = kept.first(stop + 1)[1]
    end = Cursor(version, asked, stop) if len(ids) > stop else None
    return Page(snapshot.records.of(ids[start:stop]), str(end) if end else None)


def _kept(snapshot: Snapshot, options: Options, stop: int) -> Kept:
    wanted = filter_of(options.where)
    conditions, where = conditions_of(snapshot, wanted), wanted.where
    key = sort_key(snapshot, options.sort_column or NEWEST)
    direction = "ASC" if options.ascending else "DESC"
    order = f"{key} {direction} NULLS LAST, id {direction}"

    def fetch(count: int) -> tuple[Scores, Ids]:
        ids = snapshot.catalog.first(count, order, conditions, where)
        return np.zeros(len(ids), np.float32), ids

    if not (options.unique or options.group_by):
        return Kept(fetch, stop + 1)
    by = options.group_by
    sieve = OneOfEach(
        groups=None if by is None else partial(groups_of, snapshot, by=by),
        same=Copies(snapshot) if options.unique else None,
    )
    most: Callable[[], int] | None = None if by is None else partial(count_groups, snapshot, by)
    return Kept(fetch, _RESERVE * stop, sieve, most)
