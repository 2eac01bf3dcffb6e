"""The files of an export: Parquet, Arrow, or the folders of clip-retrieval. Each is written beside its place and put
there when it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clipsearch.errors import UsageError

SHARD_ROWS = 1_000_000
"""Rows of a shard, as clip-retrieval's `write_batch_size` has it (clip_inference/main.py, version 2.45)."""

VECTOR = "vector"

_PARQUET, _ARROW = (".parquet", ".pq"), (".arrow", ".feather", ".ipc")


@dataclass(frozen=True, slots=True)
class Shape:
    """What is to come: `rows` rows with the columns of `schema`, each with a vector of `dim` numbers of `dtype`."""

    schema: pa.Schema
    rows: int
    dim: int
    dtype: np.dtype[np.floating]

    def files(self, target: Path) -> int:
        """How many files that makes at `target`."""
        return 1 if target.suffix else 2 * _shards(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A block: rows [n] and their vectors [n, dim]."""

    rows: pa.Table
    vectors: NDArray[np.floating]


Write = Callable[[Written], None]


@contextmanager
def writer_for(target: Path, shape: Shape) -> Iterator[Write]:
    """Yield what takes the blocks of an export; `target` appears once all are written, or not at all.

    `FILE.parquet` and `FILE.arrow` (also `.feather`, `.ipc`: the Arrow IPC file format) have a column `vector` of
    fixed-size lists; a name without an ending is a folder in clip-retrieval's layout: `img_emb/img_emb_N.npy` [n, dim]
    and `metadata/metadata_N.parquet`, a million rows each, numbered with as many digits as the last has.

    Raises:
        UsageError: the target is there already, its folder is not, or its ending is none of these.
    """
    opened = _format(target)
    if target.exists():
        raise UsageError(f"{target} is there already and stays as it is; name a new file or folder.")
    if not target.parent.is_dir():
        raise UsageError(f"The folder of {target} is not there; make it first.")
    draft = target.with_name(f".{target.name}.part")
    _remove(draft)  # of an export that was killed
    try:
        with opened(draft, shape) as write:
            yield write
        draft.rename(target)
    finally:
        _remove(draft)


def _format(target: Path) -> Callable[[Path, Shape], AbstractContextManager[Write]]:
    ending = target.suffix.lower()
    if ending in _PARQUET:
        return _parquet
    if ending in _ARROW:
        return _arrow
    if ending:
        raise UsageError(
            f"{target.name} ends in {ending}, which is no format of an export; name FILE.parquet, FILE.arrow, or a "
            f"folder without an ending for .npy files in clip-retrieval's layout."
        )
    return _clip_retrieval


def _remove(draft: Path) -> None:
    if draft.is_dir():
        shutil.rmtree(draft)
    else:
        draft.unlink(missing_ok=True)


def _with_vectors(schema: pa.Schema, shape: Shape) -> pa.Schema:
    kind = pa.float16() if shape.dtype == np.float16 else pa.float32()
    return schema.append(pa.field(VECTOR, pa.list_(kind, shape.dim)))


def _joined(block: Written, schema: pa.Schema) -> pa.Table:
    flat = pa.array(block.vectors.reshape(-1))
    lists = pa.FixedSizeListArray.from_arrays(flat, block.vectors.shape[1])
    return pa.table([*block.rows.columns, lists], schema=schema)


@contextmanager
def _parquet(draft: Path, shape: Shape) -> Iterator[Write]:
    schema = _with_vectors(shape.schema, shape)
    with _parquet_writer(draft, schema) as writer:
        yield lambda block: writer.write_table(_joined(block, schema))


def _parquet_writer(path: Path, schema: pa.Schema) -> Any:
    # Numbers of vectors neither repeat nor compress.
    leaf = f"{VECTOR}.list.element"
    plain = [name for name in schema.names if name != VECTOR]
    compression = dict.fromkeys(plain, "zstd") | {leaf: "none"}
    return pq.ParquetWriter(path, schema, use_dictionary=plain, compression=compression)


@contextmanager
def _arrow(draft: Path, shape: Shape) -> Iterator[Write]:
    schema = _with_vectors(shape.schema, shape)
    with pa.OSFile(str(draft), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        yield lambda block: writer.write_table(_joined(block, schema))


@contextmanager
def _clip_retrieval(draft: Path, shape: Shape) -> Iterator[Write]:
    for name in ("img_emb", "metadata"):
        (draft / name).mkdir(parents=True)
    with _Shards(draft, shape) as shards:
        yield shards.write


def _shards(rows: int) -> int:
    return max(-(-rows // SHARD_ROWS), 1)


class _Shards:
    """Rows into one shard after the other."""

    def __init__(self, folder: Path, shape: Shape) -> None:
        self._folder, self._shape = folder, shape
        self._schema = pa.schema([f.with_name("image_path") if f.name == "path" else f for f in shape.schema])
        self._digits = len(str(_shards(shape.rows)))
        self._number = -1
        self._open = ExitStack()

    def __enter__(self) -> _Shards:
        self._next()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _next(self) -> None:
        self._open.close()
        self._number += 1
        self._room = rows = min(self._shape.rows - self._number * SHARD_ROWS, SHARD_ROWS)
        number = f"{self._number:0{self._digits}d}"
        vectors = (self._folder / "img_emb" / f"img_emb_{number}.npy").open("wb")
        self._vectors = self._open.enter_context(vectors)
        header = {"descr": self._shape.dtype.str, "fortran_order": False, "shape": (rows, self._shape.dim)}
        np.lib.format.write_array_header_1_0(self._vectors, header)
        table = self._folder / "metadata" / f"metadata_{number}.parquet"
        self._rows = self._open.enter_context(pq.ParquetWriter(table, self._schema, compression="zstd"))

    def write(self, block: Written) -> None:
        """Write a block, into as many shards as it takes."""
        rows = pa.table(block.rows.columns, schema=self._schema)
        start = 0
        while start < len(rows):
            if not self._room:
                self._next()
            part = slice(start, start + self._room)
            self._rows.write_table(rows.slice(start, self._room))
            taken = np.ascontiguousarray(block.vectors[part])
            self._vectors.write(taken.tobytes())
            self._room -= len(taken)
            start += len(taken)
