"""Files of vectors as others write them, and what an index made of them holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from toy import ToyEncoder

import clipsearch

DIM = ToyEncoder().dim


def random_vectors(count: int, seed: int = 0, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, DIM)).astype(dtype)


def unit(vectors: np.ndarray) -> np.ndarray:
    """The same of length one, float64."""
    exact = vectors.astype(np.float64)
    return exact / np.sqrt((exact**2).sum(axis=1, keepdims=True))


def lists(vectors: np.ndarray, *, fixed: bool = True) -> pa.Array:
    flat = pa.array(vectors.reshape(-1))
    if fixed:
        return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.ListArray.from_arrays(pa.array(np.arange(0, len(flat) + 1, vectors.shape[1]), pa.int32()), flat)


def table(folder: Path, vectors: np.ndarray, name: str = "vectors.parquet", **columns) -> Path:
    """A Parquet file of vectors; paths `p0.png` and so on where none are given."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"path": [f"p{i}.png" for i in range(len(vectors))]} | columns
    pq.write_table(pa.table(columns | {"vector": lists(vectors)}), folder / name, row_group_size=7)
    return folder / name


def clip_retrieval(folder: Path, shards: list[np.ndarray], **columns) -> Path:
    """What clip-retrieval writes: numbers with as many digits as there are shards for, texts' vectors beside."""
    digits = int(np.log10(len(shards))) + 1
    for name in ("img_emb", "metadata", "text_emb"):
        (folder / name).mkdir(parents=True)
    first = 0
    for number, vectors in enumerate(shards):
        label = str(number).zfill(digits)
        np.save(folder / f"img_emb/img_emb_{label}.npy", vectors)
        np.save(folder / f"text_emb/text_emb_{label}.npy", -vectors)
        part = slice(first, first + len(vectors))
        first += len(vectors)
        rows = {"image_path": [f"{i:09d}.jpg" for i in range(part.start, part.stop)]}
        rows |= {key: values[part] for key, values in columns.items()}
        pq.write_table(pa.table(rows), folder / f"metadata/metadata_{label}.parquet")
    return folder


def put(source, index: Path, **options) -> clipsearch.types.ImportReport:
    return clipsearch.import_vectors(source, index, **({"encoder": ToyEncoder(), "workers": 2} | options))


def stored(index: Path) -> dict[str, np.ndarray]:
    """The stored vector of each path."""
    with clipsearch.open(index) as opened:
        rows = opened.sql("SELECT id, path FROM images ORDER BY id")
        vectors = opened.vectors(rows["id"].to_pylist())
    return dict(zip(rows["path"].to_pylist(), vectors, strict=True))


def outside(index: Path, target: Path, **options) -> pa.Table:
    with clipsearch.open(index) as opened:
        opened.export(target, **options)
    return pq.read_table(target)
