"""Computed columns: values that somebody worked out for pictures after they were indexed, such as labels.

They come in named sets. A set is one immutable Parquet file with a row an id, listed with its checksum in the manifest;
the catalog and the records are derived from it as they are from segments. Since an id always means one vector, values
by id stay true when files move. What is indexed later has no row, and so NULL, until the set is computed for it too;
for that the file also keeps a recipe, which is the business of whoever made the set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clipsearch.errors import IndexDamaged, QueryError, UsageError
from clipsearch.store.catalog import Catalog
from clipsearch.store.layout import Layout, replacing
from clipsearch.store.manifest import ComputedRef, file_ref
from clipsearch.store.schema import RESERVED, folded
from clipsearch.types import Ids

if TYPE_CHECKING:
    from clipsearch.store.writer import IndexWriter

_NAME, _RECIPE = b"clipsearch:name", b"clipsearch:recipe"
_LONGEST = 40  # letters of a name: four bytes each and the rest of a file's name stay below 255
_BATCH = 65_536

# `newest` and `score` are what results are sorted by, and `relevance` stands beside the score.
_SPOKEN_FOR = RESERVED | {"newest", "score", "relevance"}


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """A set of computed columns as its file has it.

    Attributes:
        path: the file.
        name: the name of the set.
        columns: the names of its columns, `id` not among them.
        recipe: how to compute it for further pictures; empty where that cannot be done.
    """

    path: Path
    name: str
    columns: tuple[str, ...]
    recipe: bytes

    def ids(self) -> Ids:
        """The pictures it was computed for, int64 [n].

        Raises:
            IndexDamaged: they cannot be read.
        """
        with _damage_told(self.path):
            ids: Ids = pq.read_table(self.path, columns=["id"])["id"].to_numpy()
        return ids

    def tables(self) -> Iterator[pa.Table]:
        """Its rows in portions, at least one: `id`, then its columns."""
        with pq.ParquetFile(self.path) as file:
            yield file.schema_arrow.remove_metadata().empty_table()
            for batch in file.iter_batches(_BATCH):
                yield pa.table(batch)


def read_computed(path: Path) -> Computed:
    """A set of computed columns from its file, of which only the end is read.

    Raises:
        IndexDamaged: it is missing or no such file.
    """
    with _damage_told(path):
        schema = pq.read_schema(path)
        columns = tuple(name for name in schema.names if name != "id")
        return Computed(path, schema.metadata[_NAME].decode(), columns, schema.metadata[_RECIPE])


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException, KeyError, TypeError, UnicodeDecodeError):
        raise IndexDamaged(f"{path} cannot be read; run `clipsearch repair --index {path.parent}`.") from None


def put_columns(writer: IndexWriter, name: str, tables: Iterable[pa.Table], recipe: bytes = b"") -> None:
    """Write a set of computed columns, which the next `writer.publish` shows in place of any set of that name.

    Args:
        writer: of the index.
        name: of the set: letters, digits and underscores, the first no digit; at most 40.
        tables: at least one, all with the same columns: `id`, int64, in all of them together no id twice; the others.
        recipe: how to compute them for further pictures, kept as it is.

    Raises:
        UsageError: the name is none, or that of a column is taken.
    """
    portions = iter(tables)
    first = next(portions)
    columns = tuple(column for column in first.column_names if column != "id")
    require_free(writer, name, columns)
    target = writer.layout.computed(writer.manifest.version + 1, name)
    with replacing(target, writer.layout.tmp) as draft:
        schema = first.schema.with_metadata({_NAME: name.encode(), _RECIPE: recipe})
        with pq.ParquetWriter(draft, schema, compression="zstd") as file:
            for table in chain([first], portions):
                file.write_table(table)
    writer.computed[name] = ComputedRef(name, file_ref(target), columns)


def require_free(writer: IndexWriter, name: str, columns: Sequence[str]) -> None:
    """Refuse a set of computed columns that cannot be called so, or whose columns are called like something else, in
    capital or small letters.

    Raises:
        UsageError: that is so.
    """
    if not name.isidentifier() or len(name) > _LONGEST:
        raise UsageError(
            f"{name!r} cannot name columns; take at most {_LONGEST} letters, digits and underscores, no digit first."
        )
    others = [ref for known, ref in writer.computed.items() if known != name]
    if folded(name) in {folded(ref.name) for ref in others}:
        raise UsageError(
            f"The index has a {name!r} in other letters, capital or small; spell it alike, or choose another."
        )
    published = {folded(column) for ref in writer.manifest.computed for column in ref.columns}
    with Catalog(writer.catalog) as catalog:
        sources = {folded(column) for column in catalog.schema.names} - published
    taken = {*_SPOKEN_FOR, *sources, *(folded(column) for ref in others for column in ref.columns)}
    for column in columns:
        if folded(column) in taken:
            raise UsageError(f"The index has a column {column!r} already; choose another --name for the new ones.")
        taken.add(folded(column))


def drop_columns(writer: IndexWriter, name: str) -> None:
    """Take a set of computed columns out of the index with the next `writer.publish`.

    Raises:
        QueryError: there is no such set.
    """
    if name not in writer.computed:
        raise QueryError(no_such_set(name, writer.computed))
    del writer.computed[name]


def no_such_set(name: str, known: Iterable[str]) -> str:
    """The sentence for a set of computed columns that an index has not."""
    return f"The index has no labels or scores called {name!r}; those it has are: {', '.join(known) or 'none'}."


def drop_gone(writer: IndexWriter) -> None:
    """Write those sets anew that have values of pictures which are gone."""
    with Catalog(writer.catalog) as catalog:
        live = catalog.arrow("SELECT id FROM pictures").read_all()["id"].to_numpy()
    for ref in tuple(writer.computed.values()):
        computed = read_computed(writer.layout.path / ref.file.name)
        if not np.isin(computed.ids(), live).all():
            put_columns(writer, ref.name, (_only(table, live) for table in computed.tables()), computed.recipe)


def _only(table: pa.Table, live: Ids) -> pa.Table:
    return table.filter(pa.array(np.isin(table["id"].to_numpy(), live)))


def newest_on_disk(layout: Layout) -> tuple[ComputedRef, ...]:
    """The newest readable file of each set in an index directory, for an index that has lost its manifest."""
    found: dict[str, ComputedRef] = {}
    for path in sorted(layout.path.glob("computed-*.parquet")):
        try:
            computed = read_computed(path)
            computed.ids()
        except IndexDamaged:
            continue
        found[computed.name] = ComputedRef(computed.name, file_ref(path), computed.columns)
    return tuple(found.values())
