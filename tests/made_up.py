"""An index of given vectors and facts, written without an indexer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing


def unit_rows(vectors: Any) -> np.ndarray:
    """Vectors of length 1 as they are stored, float16 [n, dim]."""
    values = np.asarray(vectors, dtype=np.float64)
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float16)


def made_index(path: Path, vectors: Any, **columns: Sequence[Any]) -> Snapshot:
    """Write and open an index of pictures with ids 1, 2, ...; `columns` replace what they would be by themselves."""
    stored = unit_rows(vectors)
    with open_for_writing(path, ModelRef("made up", "made-up-1", stored.shape[1])) as writer:
        writer.roots["photos"] = Root("photos", "/photos")
        ids = list(writer.take_ids(len(stored)))
        table = {
            "id": ids,
            "root": ["photos"] * len(ids),
            "path": [f"{i}.jpg" for i in ids],
            "file": [f"{i}.jpg" for i in ids],
            "content_hash": [f"{i:032x}" for i in ids],
            "bytes": [1000] * len(ids),
            "mtime_ns": [i * 10**9 for i in ids],
            "width": [400] * len(ids),
            "height": [300] * len(ids),
            "sharpness": [100.0] * len(ids),
            "perceptual_hash": [0] * len(ids),
        } | {name: list(values) for name, values in columns.items()}
        rows = [pa.array(table.get(f.name, [None] * len(ids)), f.type) for f in ROW_SCHEMA]
        writer.append(pa.table(rows, schema=ROW_SCHEMA), stored)
        writer.publish()
    return Snapshot(path)
