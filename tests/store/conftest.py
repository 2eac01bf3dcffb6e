"""Stores written without an indexer: rows of made-up pictures with random unit vectors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from clipsearch.store import check
from clipsearch.store.layout import Layout
from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.segments import failures_of, removals_of
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import IndexWriter, open_for_writing

DIM = 8
MODEL = ModelRef("toy", "toy-1", DIM)


def unit_vectors(count: int, seed: int, dim: int = DIM) -> np.ndarray:
    """Random directions, float16 [count, dim]."""
    values = np.random.default_rng(seed).normal(size=(count, dim))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float16)


def rows_of(ids, paths=None, **columns: Any) -> pa.Table:
    """Rows with the given ids; further columns as lists."""
    ids = list(ids)
    paths = [f"{i}.jpg" for i in ids] if paths is None else paths
    rows = [
        {"id": i, "root": "photos", "path": path, "file": path, "content_hash": f"{i:032x}", "bytes": i, "mtime_ns": i}
        for i, path in zip(ids, paths, strict=True)
    ]
    table = pa.Table.from_pylist(rows, schema=ROW_SCHEMA)
    for name, values in columns.items():
        table = table.append_column(name, values if isinstance(values, pa.Array) else pa.array(values))
    return table


class Store:
    """An index under test, and the vectors it ought to hold."""

    def __init__(self, path: Path) -> None:
        self.path, self.layout = path, Layout(path)
        self.truth: dict[int, np.ndarray] = {}

    @contextmanager
    def writer(self) -> Iterator[IndexWriter]:
        with open_for_writing(self.path, MODEL) as writer:
            writer.roots.setdefault("photos", Root("photos", "/photos"))
            yield writer

    def add(self, writer: IndexWriter, count: int, paths=None, **columns: Any) -> list[int]:
        """Append a batch of new rows."""
        ids = list(writer.take_ids(count))
        vectors = unit_vectors(count, ids[0])
        writer.append(rows_of(ids, paths, **columns), vectors)
        self.truth |= dict(zip(ids, vectors, strict=True))
        return ids

    def remove(self, writer: IndexWriter, ids) -> None:
        """Append a batch of removals."""
        writer.append(removals=removals_of(ids))
        for i in ids:
            del self.truth[i]

    def fail(self, writer: IndexWriter, path: str, reason: str = "corrupt") -> None:
        """Append a batch with a failure."""
        writer.append(failures=failures_of([{"root": "photos", "path": path, "reason": reason, "message": reason}]))

    def forget(self, writer: IndexWriter, path: str) -> None:
        """Append a batch that takes a failure back."""
        writer.append(removals=removals_of(forgotten=[("photos", path)]))

    def published(self) -> dict[int, dict[str, Any]]:
        """The published rows by id, after checking vectors, records and FAISS index against what was put in."""
        snapshot = Snapshot(self.path)
        try:
            ids = [i for (i,) in snapshot.catalog.fetch("SELECT id FROM pictures ORDER BY id")]
            rows = snapshot.catalog.stored(ids)
            vectors = snapshot.vectors_of(ids)
            assert ids == sorted(self.truth)
            assert snapshot.manifest.rows == len(ids) == len(snapshot.searcher.ids())
            for i, vector in zip(ids, vectors, strict=True):
                assert vector.tobytes() == self.truth[i].tobytes()
            shuffled = np.random.default_rng(1).permutation(ids).astype(np.int64)
            assert snapshot.records.of(shuffled).equals(snapshot.catalog.columns(shuffled))
            self._check_ann(snapshot)
            return {i: rows[i] for i in ids}
        finally:
            snapshot.close()

    def _check_ann(self, snapshot: Snapshot) -> None:
        query = unit_vectors(1, 999).astype(np.float32)
        expected = {i: float(v.astype(np.float32) @ query[0]) for i, v in self.truth.items()}
        found = snapshot.nearest(query, len(expected))
        scores, ids = found.scores, found.ids
        assert sorted(ids[0].tolist()) == sorted(expected)
        np.testing.assert_allclose(scores[0], [expected[i] for i in ids[0].tolist()], atol=1e-5)

    def failures(self) -> dict[str, str]:
        """Published failures."""
        snapshot = Snapshot(self.path)
        try:
            return {row["path"]: row["reason"] for row in snapshot.catalog.failures()}
        finally:
            snapshot.close()


def assert_sound(store) -> None:
    assert check.verify(store.path).problems == ()


def files_of(store) -> set[str]:
    """Names of published files and segments on the disk."""
    return {*(p.name for p in store.layout.derived()), *(p.name for p in store.layout.segments.iterdir())}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "photos.index")
