"""What results are grouped and sorted by, read from the catalog."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pyarrow as pa

from clipsearch.errors import QueryError
from clipsearch.query.kinds import column_named
from clipsearch.query.options import NEWEST
from clipsearch.query.order import Order
from clipsearch.store.schema import folded
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.sql import quote
from clipsearch.types import Ids

# Pictures without a value are one group, as in SQL; a Parquet file is the folder of its pictures.
_GROUPS = {
    "folder": "root || '/' || coalesce(shard, regexp_extract(file, '^(.*)/', 1))",
    "day": "strftime(taken_at, '%Y-%m-%d')",
}


def groups_of(snapshot: Snapshot, ids: Ids, by: str) -> Sequence[Hashable]:
    """The group of each picture.

    Raises:
        QueryError: `by` is neither `folder`, `day` nor a column of `images`.
    """
    groups: list[Hashable] = snapshot.catalog.columns(ids, f"{_group_key(snapshot, by)} AS grouped")[
        "grouped"
    ].to_pylist()
    return groups


def count_groups(snapshot: Snapshot, by: str) -> int:
    """How many groups there are in the whole index."""
    [(count,)] = snapshot.catalog.fetch(
        f"SELECT count(*) FROM (SELECT DISTINCT {_group_key(snapshot, by)} FROM images)"
    )
    return int(count)


def _group_key(snapshot: Snapshot, by: str) -> str:
    """What pictures are grouped by, as SQL; of a column only texts, numbers and dates are told apart as they are."""
    if by in _GROUPS:
        return _GROUPS[by]
    column = column_named(snapshot.catalog.schema, by)
    return quote(column.name) if column.kind and not column.listed else f"{quote(column.name)}::VARCHAR"


def by_column(snapshot: Snapshot, ids: Ids, column: str, *, ascending: bool) -> Order:
    """The order of pictures by a column of `images`, int [n]: empty values last, equal ones as they come.

    Raises:
        QueryError: there is no such column, or its values have no order.
    """
    import pyarrow.compute as pc  # takes long to load, and few searches are sorted

    values = snapshot.catalog.columns(ids, f"{sort_key(snapshot, column)} AS sorted")
    keys = values.append_column("place", pa.array(np.arange(len(ids))))
    direction = "ascending" if ascending else "descending"
    order = pc.sort_indices(keys, [("sorted", direction), ("place", "ascending")])  # empty values last
    result: Order = order.to_numpy().astype(np.intp)
    return result


def sort_key(snapshot: Snapshot, column: str) -> str:
    """What SQL sorts by for a column of `images`, or for `newest` where no column has that name.

    Raises:
        QueryError: there is no such column, or its values have no order.
    """
    import pyarrow.compute as pc

    schema = snapshot.catalog.schema
    if column == NEWEST and not any(folded(name) == NEWEST for name in schema.names):
        return "coalesce(taken_at, mtime, indexed_at)"
    name = column_named(schema, column).name
    try:
        pc.sort_indices(schema.empty_table()[name])
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError, pa.ArrowInvalid):
        raise QueryError(
            f"The column {name} holds {schema.field(name).type} values, which have no order; sort by another."
        ) from None
    return quote(name)
