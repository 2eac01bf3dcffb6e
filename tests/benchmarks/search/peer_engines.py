"""One class a peer, all alike: `build` writes an index to a folder, an instance answers from it.

`effort` is what each peer calls its knob between speed and recall. `name` says how vectors are stored. Ids that are
returned are positions of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from .vectors import Floats

HNSW_EFFORTS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
THREADS = 2
Stored = NDArray[np.float16]


class Peer(Protocol):
    """What the comparison asks of an engine."""

    name: ClassVar[str]
    module: ClassVar[str]
    efforts: ClassVar[tuple[int, ...]]
    bytes_held: ClassVar[int]
    """Memory that building takes a row of 512 dimensions, at least."""

    @staticmethod
    def build(base: Iterable[Stored], rows: int, folder: Path) -> None:
        """Build with `THREADS` threads."""

    def __init__(self, folder: Path) -> None: ...

    def search(self, query: Floats, k: int, effort: int) -> NDArray[Any]:
        """Positions of the k nearest of one query, float32 [dim], found by one thread."""


class FaissHnsw:
    """FAISS, `IndexHNSWFlat` with 32 links."""

    name, module = "FAISS HNSW32 Flat", "faiss"
    efforts = HNSW_EFFORTS
    bytes_held = 4 * 512 + 2 * 32 * 4

    @staticmethod
    def build(base: Iterable[Stored], rows: int, folder: Path) -> None:
        import faiss

        faiss.omp_set_num_threads(THREADS)
        index = None
        for block in _blocks(base):
            index = index or faiss.IndexHNSWFlat(block.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
            index.add(block.astype(np.float32))
        faiss.write_index(index, str(folder / "index.faiss"))

    def __init__(self, folder: Path) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        self._index = faiss.read_index(str(folder / "index.faiss"))

    def search(self, query: Floats, k: int, effort: int) -> NDArray[Any]:
        self._index.hnsw.efSearch = effort
        return self._index.search(query[None], k)[1][0]  # type: ignore[no-any-return]


class Hnswlib:
    """hnswlib with its README's M = 16 and ef_construction = 200; it stores float32."""

    name, module = "hnswlib", "hnswlib"
    efforts = HNSW_EFFORTS
    bytes_held = 4 * 512 + 2 * 16 * 4

    @staticmethod
    def build(base: Iterable[Stored], rows: int, folder: Path) -> None:
        import hnswlib

        index = None
        for block in _blocks(base):
            if index is None:
                index = hnswlib.Index("ip", block.shape[1])
                index.init_index(rows, ef_construction=200, M=16)
            index.add_items(block.astype(np.float32), num_threads=THREADS)
        assert index is not None
        index.save_index(str(folder / "index.bin"))

    def __init__(self, folder: Path) -> None:
        import hnswlib

        self._index = hnswlib.Index("ip", 512)
        self._index.load_index(str(folder / "index.bin"))
        self._index.set_num_threads(1)

    def search(self, query: Floats, k: int, effort: int) -> NDArray[Any]:
        self._index.set_ef(effort)
        return self._index.knn_query(query[None], k)[0][0]  # type: ignore[no-any-return]


class Usearch:
    """usearch with float16 and the rest as it comes (16 links, expansion 128); opened as a view of its file."""

    name, module = "usearch f16", "usearch.index"
    efforts = HNSW_EFFORTS
    bytes_held = 2 * 512 + 2 * 16 * 4

    @staticmethod
    def build(base: Iterable[Stored], rows: int, folder: Path) -> None:
        from usearch.index import Index

        index, start = None, 0
        for block in _blocks(base):
            index = index or Index(ndim=block.shape[1], metric="ip", dtype="f16")
            index.add(np.arange(start, start + len(block)), block, threads=THREADS)
            start += len(block)
        assert index is not None
        index.save(str(folder / "index.usearch"))

    def __init__(self, folder: Path) -> None:
        from usearch.index import Index

        self._index: Any = Index.restore(str(folder / "index.usearch"), view=True)

    def search(self, query: Floats, k: int, effort: int) -> NDArray[Any]:
        self._index.expansion_search = effort
        return np.asarray(self._index.search(query, k, threads=1).keys)


class _Lance:
    """LanceDB over a table of float16 vectors. `effort` counts the partitions that are visited."""

    bytes_held = 600
    kind: ClassVar[str]
    refine: ClassVar[int]

    @classmethod
    def build(cls, base: Iterable[Stored], rows: int, folder: Path) -> None:
        import lancedb
        import pyarrow as pa

        def batches() -> Iterator[Any]:
            start = 0
            for block in _blocks(base):
                flat = pa.array(np.ascontiguousarray(block).ravel())
                vectors = pa.FixedSizeListArray.from_arrays(flat, block.shape[1])
                ids = pa.array(np.arange(start, start + len(block)))
                yield pa.record_batch([ids, vectors], ["id", "vector"])
                start += len(block)

        schema = pa.schema([("id", pa.int64()), ("vector", pa.list_(pa.float16(), 512))])
        table = lancedb.connect(folder).create_table("pictures", batches(), schema=schema)
        table.create_index(metric="dot", index_type=cls.kind, num_partitions=max(1, round(rows**0.5)))

    def __init__(self, folder: Path) -> None:
        import lancedb

        self._table = lancedb.connect(folder).open_table("pictures")

    def search(self, query: Floats, k: int, effort: int) -> NDArray[Any]:
        asked = (
            self._table.search(query).nprobes(effort).refine_factor(self.refine).limit(k).select(["id", "_distance"])
        )
        return asked.to_arrow()["id"].to_numpy()  # type: ignore[no-any-return]


class LanceRabitq(_Lance):
    """LanceDB's IVF_RQ, its form of RaBitQ, re-ranked with the stored vectors."""

    name, module = "LanceDB IVF_RQ", "lancedb"
    efforts = (8, 16, 32, 64, 128, 256, 512)
    kind, refine = "IVF_RQ", 20


PEERS: dict[str, type[Peer]] = {
    "usearch": Usearch,
    "hnswlib": Hnswlib,
    "lancedb": LanceRabitq,
    "faiss": FaissHnsw,
}


def _blocks(base: Iterable[Stored], size: int = 50_000) -> Iterator[Stored]:
    for segment in base:
        for start in range(0, len(segment), size):
            yield segment[start : start + size]
