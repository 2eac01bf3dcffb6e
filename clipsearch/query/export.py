"""Vectors for others: with their ids, paths and chosen columns, into files that other programs read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from clipsearch.errors import UsageError
from clipsearch.names import to_stored
from clipsearch.query.export_files import Shape, Written, writer_for
from clipsearch.query.filters import Filter, survivors
from clipsearch.query.kinds import column_named
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Ids

FloatType = Literal["float16", "float32"]

EVERY_COLUMN = "*"

_NUMBERS_AT_A_TIME = 1 << 22
"""Of the vectors held in memory: 8 MB of float16."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was exported: `pictures` vectors of `dim` numbers each, of the type `dtype`, in `files` files at `path`;
    `model` made them."""

    path: Path
    model: str
    pictures: int
    dim: int
    dtype: FloatType
    files: int


def export(
    snapshot: Snapshot,
    target: str | Path,
    *,
    where: str | Filter | None = None,
    columns: Sequence[str] = (),
    dtype: FloatType = "float16",
    progress: Callable[[int, int], None] | None = None,
) -> ExportReport:
    """Write vectors to `target`, in the order of their ids, a block at a time; see `Index.export`.

    Raises:
        UsageError: the target is there already, its folder is not, or its ending is none that is written.
        QueryError: the filter or a column cannot be used.
    """
    wanted = Path(target).expanduser().absolute()
    if dtype not in ("float16", "float32"):
        raise UsageError(f"{dtype!r} is no type vectors are exported in; choose float16 or float32.")
    names = _chosen(snapshot, columns)
    among = survivors(snapshot, where)
    total = snapshot.manifest.rows if among is None else len(among)
    dim = snapshot.manifest.model.dim
    shape = Shape(_schema(snapshot, names), total, dim, np.dtype(dtype))
    with writer_for(wanted, shape) as write:
        done = 0
        for ids in _blocks(snapshot, among, max(_NUMBERS_AT_A_TIME // dim, 1)):
            vectors = snapshot.vectors_of(ids).astype(shape.dtype, copy=False)
            write(Written(_table(snapshot, ids, names, shape.schema), vectors))
            done += len(ids)
            if progress:
                progress(done, total)
    return ExportReport(wanted, snapshot.manifest.model.name, total, dim, dtype, shape.files(wanted))


def _chosen(snapshot: Snapshot, columns: Sequence[str]) -> dict[str, str]:
    """Columns of `images` to export beside id and path, each with the name it gets."""
    schema = snapshot.catalog.schema
    names = list(schema.names) if EVERY_COLUMN in columns else [column_named(schema, name).name for name in columns]
    taken = {"id": "id", "path": "relative_path", "vector": "source_vector"}
    return {name: taken.get(name, name) for name in names if name != "id"}


def _schema(snapshot: Snapshot, names: dict[str, str]) -> pa.Schema:
    stored = snapshot.catalog.schema
    further = [pa.field(new, stored.field(old).type) for old, new in names.items()]
    return pa.schema([("id", pa.int64()), ("path", pa.string()), *further])


def _blocks(snapshot: Snapshot, among: Ids | None, size: int) -> Iterator[Ids]:
    stop = snapshot.manifest.next_id if among is None else len(among)
    for start in range(0, stop, size):
        ids = snapshot.places.ids(start, start + size) if among is None else among[start : start + size]
        if len(ids):
            yield ids


def _table(snapshot: Snapshot, ids: Ids, names: dict[str, str], schema: pa.Schema) -> pa.Table:
    import pyarrow.compute as pc

    rows = snapshot.records.of(ids)
    roots = {alias: to_stored(str(place)).rstrip("/") for alias, place in snapshot.roots().items()}
    folders = pa.array([roots[alias] for alias in rows["root"].to_pylist()], pa.string())
    paths = pc.binary_join_element_wise(folders, pc.coalesce(rows["file"], rows["path"]), "/")
    further = {new: rows[old] for old, new in names.items()}
    return pa.table({"id": rows["id"], "path": paths} | further, schema=schema)
