"""What a run works with, kept between runs: the index of a size, its queries and their true neighbours."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from filelock import FileLock
from numpy.typing import NDArray

from clipsearch.store.manifest import ModelRef
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing

from .index import make_index
from .truth import Positions, exact
from .vectors import Floats, World

KINDS = ("picture", "text")
DEPTH = 100  # true neighbours kept for each query


@dataclass(frozen=True)
class Workspace:
    """An index of `rows` pictures in `folder`, and `queries` queries of each kind."""

    folder: Path
    rows: int
    queries: int = 1000
    world: World = field(default_factory=World)

    @property
    def index(self) -> Path:
        """The index directory."""
        return self.folder / f"photos-{self.rows}.index"

    @property
    def build(self) -> dict[str, float]:
        """Seconds that appending the segments and publishing them took."""
        times: dict[str, float] = json.loads(self._build.read_text())
        return times

    @property
    def _build(self) -> Path:
        return self.folder / f"build-{self.rows}.json"

    def prepare(self) -> None:
        """Make the index, unless it is there; waits while another process makes it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / f"photos-{self.rows}.lock"):
            if self._build.exists():
                return
            shutil.rmtree(self.index, ignore_errors=True)
            made = make_index(self.index, self.rows, self.world, ModelRef("benchmark", "benchmark", self.world.dim))
            self._build.write_text(json.dumps(asdict(made)))

    def tune(self, recall: float) -> None:
        """Tune the index to a recall, unless it is."""
        with open_for_writing(self.index) as writer:
            writer.tuning = writer.tuning.changed(recall, None)
            writer.publish()

    def queries_of(self, kind: str) -> Floats:
        """Queries of a kind, float32 [queries, dim] of norm 1."""
        ask = self.world.picture_queries if kind == "picture" else self.world.text_queries
        return ask(self.queries)

    def base(self) -> Iterator[NDArray[np.float16]]:
        """The index's vectors in the order of their ids, a memory-mapped segment at a time."""
        folder = self.index / "segments"
        expected = 1
        for segment in sorted(folder.iterdir()):
            ids = pq.read_table(segment / "rows.parquet", columns=["id"])["id"].to_numpy()
            if not np.array_equal(ids, np.arange(expected, expected + len(ids))):
                raise RuntimeError(f"{segment} does not hold the ids from {expected} on")
            expected += len(ids)
            yield np.load(segment / "vectors.npy", mmap_mode="r")

    def truth(self, kind: str) -> Positions:
        """Ids of the true nearest `DEPTH` of each query, best first, int64 [queries, DEPTH]; kept on disk."""
        path = self.folder / f"truth-{self.rows}-{self.queries}-{kind}.npy"
        if not path.exists():
            np.save(path, 1 + exact(self.queries_of(kind), self.base(), DEPTH))
        found: Positions = np.load(path)
        return found

    @cached_property
    def _columns(self) -> dict[str, NDArray[np.float64]]:
        snapshot = Snapshot(self.index)
        table = snapshot.catalog.query("SELECT lottery, shelf FROM images ORDER BY id")
        snapshot.close()
        return {name: table[name].to_numpy() for name in ("lottery", "shelf")}

    def kept(self, column: str, low: float, high: float) -> NDArray[np.bool_]:
        """Which rows have `low <= column < high`, bool [rows], for `lottery` or `shelf`."""
        values = self._columns[column]
        return (values >= low) & (values < high)
