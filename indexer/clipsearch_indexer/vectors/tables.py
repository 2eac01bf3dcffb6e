"""Tables of vectors: Parquet files with a column of them, and clip-retrieval's pairs of `.npy` and Parquet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clipsearch.errors import SourceError
from clipsearch.names import from_stored
from clipsearch.pictures.parquet import open_shard
from clipsearch_indexer.sources.folder import Found, walk
from clipsearch_indexer.vectors.columns import Columns, Named, columns_of, vectors_in

_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Consecutive rows of a table, from row `first` on: the columns of each picture, `vectors` [n, dim] of the file's
    own type, and what is wrong with rows that have none, by their number in the block."""

    first: int
    rows: pa.Table
    vectors: NDArray[np.floating]
    wrong: dict[int, str]


@dataclass(frozen=True, slots=True)
class VectorTable:
    """A Parquet file of which each row belongs to a vector of `dim` numbers: one in a column of the file itself, or
    the row of the same number in the array `vectors`. `group_rows` are the rows of its row groups."""

    file: Path
    vectors: Path | None
    columns: Columns
    schema: pa.Schema
    group_rows: tuple[int, ...]
    dim: int
    mtime_ns: int

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(self.group_rows)

    def paths(self, size: int) -> Iterator[list[str]]:
        """Where each row says its picture is, in blocks of at most `size` rows.

        A row that does not say goes by its own place, `<file>#<row group>/<row>`, where it may hold the picture.
        """
        first = 0
        with open_shard(self.file) as opened:
            names = [self.columns.path] if self.columns.path else []
            for batch in opened.iter_batches(size, columns=names):
                given = batch.column(0).to_pylist() if names else [None] * len(batch)
                yield [path or self._place(first + offset) for offset, path in enumerate(given)]
                first += len(batch)

    def _place(self, row: int) -> str:
        ends = list(accumulate(self.group_rows))
        group = int(np.searchsorted(ends, row, side="right"))
        return f"{self.file}#{group}/{row - (ends[group - 1] if group else 0)}"

    def blocks(self, size: int) -> Iterator[Block]:
        """All rows in order, at most `size` at a time.

        Raises:
            SourceError: a file breaks off in the middle.
        """
        array = None if self.vectors is None else _array(self.vectors)
        names = [name for name in (self.columns.caption, self.columns.vector) if name]
        first = 0
        with open_shard(self.file) as opened:
            for batch in opened.iter_batches(size, columns=list(dict.fromkeys([*names, *self.columns.further]))):
                if array is not None:
                    yield Block(first, pa.table(batch), array[first : first + len(batch)], {})
                else:
                    vectors, wrong = vectors_in(batch.column(self.columns.vector), self.dim)
                    yield Block(first, pa.table(batch), vectors, wrong)
                first += len(batch)


def find_tables(sources: Sequence[Path], named: Named) -> list[VectorTable]:
    """The tables of every source in the order of their numbers: Parquet files, folders of them, and folders that
    clip-retrieval wrote, whose `text_emb` is left alone.

    Raises:
        SourceError: a source is not there, holds no vectors, or its files do not go together.
    """
    tables = []
    for source in sources:
        if (source / "img_emb").is_dir():
            tables += [_pair(array, table, named) for array, table in _pairs(source)]
        elif source.is_dir():
            files = sorted(_parquet_files(source), key=_in_order)
            if not files:
                raise SourceError(
                    f"{source} has neither Parquet files nor the folders img_emb and metadata of clip-retrieval; name "
                    f"the folder that has."
                )
            tables += [_table(file, named) for file in files]
        elif source.is_file():
            tables.append(_table(source, named))
        else:
            raise SourceError(f"{source} is not there; check the name, or mount the disk it is on.")
    _same_dimension(tables)
    return tables


def _parquet_files(folder: Path) -> Iterator[Path]:
    """Parquet files in a folder and below it, but not those of an index."""
    for found in walk(folder):
        if isinstance(found, Found) and found.kind == "shard":
            yield folder / from_stored(found.path)


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    arrays = sorted((folder / "img_emb").glob("*.npy"), key=_in_order)
    if not arrays:
        raise SourceError(f"{folder / 'img_emb'} holds no .npy files; name a folder that clip-retrieval wrote.")
    for array in arrays:
        number = array.stem.rpartition("_")[2]
        table = folder / "metadata" / f"metadata_{number}.parquet"
        if not table.is_file():
            raise SourceError(f"{table} is not there, which says what the vectors of {array.name} belong to.")
        yield array, table


def _in_order(path: Path) -> list[tuple[int, str]]:
    """Sorts names by the numbers in them: 9 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBER.split(str(path))]


def _table(file: Path, named: Named) -> VectorTable:
    with open_shard(file) as opened:
        schema = opened.schema_arrow.remove_metadata()
        columns = columns_of(schema, named, file, with_vectors=True)
        return VectorTable(
            file, None, columns, schema, _group_rows(opened), _dim(opened, columns.vector), file.stat().st_mtime_ns
        )


def _pair(array: Path, file: Path, named: Named) -> VectorTable:
    vectors = _array(array)
    with open_shard(file) as opened:
        schema = opened.schema_arrow.remove_metadata()
        columns = columns_of(schema, named, file, with_vectors=False)
        groups = _group_rows(opened)
    if sum(groups) != len(vectors):
        raise SourceError(
            f"{array} has {len(vectors):,} vectors and {file.name} {sum(groups):,} rows; they belong together only if "
            f"these are equal, so copy both again."
        )
    return VectorTable(file, array, columns, schema, groups, vectors.shape[1], array.stat().st_mtime_ns)


def _array(file: Path) -> NDArray[np.floating]:
    try:
        empty = file.stat().st_size <= 128  # which NumPy cannot map
        found: NDArray[np.floating] = np.load(file) if empty else np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise SourceError(f"{file} cannot be read as a NumPy array ({error}); copy or write it again.") from None
    if found.ndim != 2 or found.dtype.kind != "f":
        raise SourceError(
            f"{file} holds {found.dtype} {list(found.shape)}; vectors are floating-point numbers [n, dim]."
        )
    return found


def _group_rows(file: pq.ParquetFile) -> tuple[int, ...]:
    return tuple(file.metadata.row_group(group).num_rows for group in range(file.num_row_groups))


def _dim(file: pq.ParquetFile, column: str | None) -> int:
    """The length of the first vector there is; 0 where there is none."""
    kind = file.schema_arrow.field(column).type
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size)
    for batch in file.iter_batches(1024, columns=[column]):
        for vector in batch.column(0):
            if vector.is_valid:
                return len(vector)
    return 0


def _same_dimension(tables: Sequence[VectorTable]) -> None:
    full = [table for table in tables if table.rows]
    for table in full[1:]:
        if table.dim != full[0].dim:
            raise SourceError(
                f"{table.file} has vectors of {table.dim} numbers and {full[0].file} of {full[0].dim}; they come from "
                f"different models, so import them into indexes of their own."
            )
