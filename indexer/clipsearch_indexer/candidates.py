"""Pictures to look at, one after the other: files as the plan lists them, then the rows of Parquet shards."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from clipsearch.errors import SourceError
from clipsearch.names import from_stored, to_stored
from clipsearch.pictures.parquet import ShardLayout
from clipsearch_indexer.chunks import chunked
from clipsearch_indexer.plan import Plan, StoredFile, StoredRow
from clipsearch_indexer.sources.parquet import ShardRows, read_shard

_ROWS_AT_ONCE = 32
_BYTES_A_CHUNK = 2**27
"""Encoded pictures out of Parquet; a few chunks are in memory at a time."""

_GONE = 0
"""The time of change of a file that is not there."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One picture to look at, `size` bytes long.

    `source` is the path of its file, or its bytes, or None where its Parquet row is empty; `old_id` and `old_hash` are
    what the index holds at the same place.
    """

    root: str
    path: str
    source: str | bytes | None
    size: int
    mtime_ns: int
    file: str | None = None
    shard: str | None = None
    row_group: int | None = None
    row: int | None = None
    image_column: str | None = None
    caption: str | None = None
    old_id: int | None = None
    old_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive candidates that become one batch; `columns` are the further columns of their Parquet rows, [n]."""

    candidates: list[Candidate]
    columns: pa.Table | None = None


@dataclass(frozen=True, slots=True)
class Shard:
    """A Parquet file with rows to look at: `todo` of its `total` rows."""

    root: str
    base: Path
    path: str
    mtime_ns: int
    layout: ShardLayout
    stored: Mapping[tuple[int, int], StoredRow]
    todo: int
    total: int
    keep_missing: bool = False


def file_chunks(plan: Plan, bases: Mapping[str, Path], size: int) -> Iterator[Chunk]:
    """New and changed picture files, `size` at a time."""
    for files in chunked(plan.files(), size):
        yield Chunk([_file_candidate(file, bases[file.root]) for file in files])


def _file_candidate(file: StoredFile, base: Path) -> Candidate:
    return Candidate(
        root=file.root,
        path=file.path,
        source=f"{base}{os.sep}{from_stored(file.path)}",
        size=file.bytes,
        mtime_ns=file.mtime_ns,
        file=file.path,
        old_id=file.old_id,
        old_hash=file.old_hash,
    )


def shard_chunks(shard: Shard, size: int) -> Iterator[Chunk]:
    """Rows of a shard that the index does not hold as they are now: at most `size` at a time, and what memory is meant
    to hold; from several row groups where these are small, as those of pictures often are.

    Raises:
        SourceError: the file turns out damaged; the rows before that have been given.
    """
    gathered: list[Chunk] = []
    count = held = 0
    damage: SourceError | None = None
    at_once = size // -(-size // _ROWS_AT_ONCE)  # about that many, and so that whole portions make `size`
    try:
        for some in _new_rows(shard, at_once):
            more, further = len(some.candidates), _bytes_of(some)
            if gathered and (count + more > size or held + further > _BYTES_A_CHUNK):
                yield _joined(gathered)
                gathered, count, held = [], 0, 0
            gathered.append(some)
            count, held = count + more, held + further
    except SourceError as error:
        damage = error
    if gathered:
        yield _joined(gathered)
    if damage is not None:
        raise damage


def _new_rows(shard: Shard, at_once: int) -> Iterator[Chunk]:
    for rows in read_shard(shard.base / from_stored(shard.path), shard.layout, batch_rows=at_once):
        candidates = [_row_candidate(shard, rows, offset) for offset in range(len(rows.pictures))]
        wanted = [i for i, candidate in enumerate(candidates) if not _is_stored(shard, candidate)]
        if wanted:
            columns = pa.table(rows.columns).take(pa.array(wanted)) if rows.columns.num_columns else None
            yield Chunk([candidates[i] for i in wanted], columns)


def _bytes_of(chunk: Chunk) -> int:
    return sum(len(one.source) for one in chunk.candidates if isinstance(one.source, bytes))


def _joined(chunks: Sequence[Chunk]) -> Chunk:
    tables = [chunk.columns for chunk in chunks if chunk.columns is not None]
    return Chunk([one for chunk in chunks for one in chunk.candidates], pa.concat_tables(tables) if tables else None)


def _row_candidate(shard: Shard, rows: ShardRows, offset: int) -> Candidate:
    cell, row = rows.pictures[offset], rows.first_row + offset
    stored = shard.stored.get((rows.row_group, row))
    source, file, size, mtime_ns = _located(shard, cell)
    return Candidate(
        root=shard.root,
        path=f"{shard.path}#{rows.row_group}/{row}",
        source=source,
        size=size,
        mtime_ns=mtime_ns,
        file=file,
        shard=shard.path,
        row_group=rows.row_group,
        row=row,
        image_column=None if file else shard.layout.image_column,
        caption=rows.captions[offset],
        old_id=stored.id if stored else None,
        old_hash=stored.content_hash if stored else None,
    )


def _located(shard: Shard, cell: bytes | str | None) -> tuple[str | bytes | None, str | None, int, int]:
    """Source, stored file, bytes and time of change of what a cell holds or names."""
    if not isinstance(cell, str):
        return cell, None, len(cell or b""), shard.mtime_ns
    file = os.path.normpath(os.path.join(os.path.dirname(from_stored(shard.path)), cell))  # noqa: PTH118, PTH120
    path = shard.base / file
    try:
        found = path.stat()
    except (OSError, ValueError):  # ValueError: a NUL in the cell
        return str(path), to_stored(file), 0, _GONE
    return str(path), to_stored(file), found.st_size, max(found.st_mtime_ns, shard.mtime_ns)


def _is_stored(shard: Shard, candidate: Candidate) -> bool:
    """Whether the index holds (or has failed on) this row as it is; rows of an interrupted run are skipped this way."""
    stored = shard.stored.get((candidate.row_group or 0, candidate.row or 0))
    if stored is None:
        return False
    if candidate.mtime_ns == _GONE and stored.id is not None:
        return shard.keep_missing
    return stored.mtime_ns == candidate.mtime_ns and stored.bytes in (None, candidate.size)
