"""What results are grouped and sorted by, read from the catalog."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import get_close_matches

import numpy as np
import pyarrow as pa

from clipsearch.errors import QueryError
from clipsearch.query.options import GroupBy
from clipsearch.query.order import Order
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.sql import quote
from clipsearch.types import Ids

# Pictures without a date or a camera are one group, as in SQL; a Parquet file is the folder of its pictures.
_GROUPS: dict[GroupBy, str] = {
    "folder": "root || '/' || coalesce(shard, regexp_extract(file, '^(.*)/', 1))",
    "day": "strftime(taken_at, '%Y-%m-%d')",
    "camera": "camera",
}


def groups_of(snapshot: Snapshot, ids: Ids, by: GroupBy) -> Sequence[Hashable]:
    """The group of each picture."""
    groups: list[Hashable] = snapshot.catalog.columns(ids, f"{_GROUPS[by]} AS grouped")["grouped"].to_pylist()
    return groups


def count_groups(snapshot: Snapshot, by: GroupBy) -> int:
    """How many groups there are in the whole index."""
    [(count,)] = snapshot.catalog.fetch(f"SELECT count(*) FROM (SELECT DISTINCT {_GROUPS[by]} FROM images)")
    return int(count)


def by_column(snapshot: Snapshot, ids: Ids, column: str, *, ascending: bool) -> Order:
    """The order of pictures by a column of `images`, int [n]: empty values last, equal ones as they come.

    Raises:
        QueryError: there is no such column, or its values have no order.
    """
    import pyarrow.compute as pc  # takes long to load, and few searches are sorted

    found = snapshot.catalog.columns(ids[:0], "*")
    names = {name.lower(): name for name in found.column_names}
    if column.lower() not in names:
        near = get_close_matches(column.lower(), names, n=1)
        hint = f" (did you mean {names[near[0]]}?)" if near else ""
        raise QueryError(f"There is no column {column!r} to sort by{hint}; there are {', '.join(names.values())}.")
    name = names[column.lower()]
    values = snapshot.catalog.columns(ids, f"{quote(name)} AS sorted")
    keys = values.append_column("place", pa.array(np.arange(len(ids))))
    direction = "ascending" if ascending else "descending"
    try:
        order = pc.sort_indices(keys, [("sorted", direction), ("place", "ascending")])  # empty values last
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError, pa.ArrowInvalid):
        raise QueryError(
            f"The column {name} holds {found.schema.field(name).type} values, which have no order."
        ) from None
    result: Order = order.to_numpy().astype(np.intp)
    return result
