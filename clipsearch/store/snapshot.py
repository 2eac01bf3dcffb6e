"""A reader's view: one published version, unchanged until it is closed whatever a writer does meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from clipsearch.errors import IndexDamaged
from clipsearch.store.ann import AnnIndex
from clipsearch.store.catalog import Catalog
from clipsearch.store.layout import Layout
from clipsearch.store.lock import take_lease
from clipsearch.store.manifest import Manifest, Root, published_version, read_manifest
from clipsearch.store.nearest import Ids, Nearest, Plan
from clipsearch.store.segments import StoredVectors, load_vectors
from clipsearch.types import Vectors

if TYPE_CHECKING:
    from clipsearch.store.background import Background

_ATTEMPTS = 100


class Snapshot:
    """One published version of an index, opened read-only.

    Raises:
        IndexNotFound: there is no index at `path`.
        IndexDamaged: a file of the published version is missing or unreadable.
    """

    def __init__(self, path: str | Path) -> None:
        self.layout = Layout(Path(path).expanduser().absolute())
        self._lease, self.manifest = _lease_current(self.layout)
        self._vectors: dict[str, StoredVectors] = {}

    @cached_property
    def catalog(self) -> Catalog:
        """The version's metadata."""
        return Catalog(self.layout.path / self.manifest.catalog.name)

    @cached_property
    def ann(self) -> AnnIndex:
        """The version's FAISS index."""
        return AnnIndex(self.layout.path / self.manifest.ann.name)

    def roots(self) -> dict[str, Path]:
        """Where each root is, by alias."""
        return {root.alias: root.resolve(self.layout.path) for root in self.manifest.roots}

    def offline_roots(self) -> tuple[Root, ...]:
        """Roots whose folder is not there at present."""
        return tuple(r for r in self.manifest.roots if not r.resolve(self.layout.path).is_dir())

    def nearest(
        self, queries: Vectors, k: int, *, among: Ids | None = None, without: Sequence[int] = ()
    ) -> Nearest:
        """The `k` nearest pictures of each query, float32 [n, dim] of norm 1; fewer only where there are fewer.

        `among` (sorted int64) are the only ids that may be returned; `without` are ids to leave out.
        """
        if among is None:
            scores, ids = self.ann.search(queries, k, without=without)
            return Nearest(scores, ids, Plan("exact", None, len(self.ann)))
        kept = among[~np.isin(among, np.asarray(without, np.int64))]
        products = queries @ self.vectors_of(kept).astype(np.float32).T
        best = np.argsort(-products, axis=1, kind="stable")[:, :k]
        return Nearest(np.take_along_axis(products, best, axis=1), kept[best], Plan("survivors", len(kept), len(kept)))

    def vectors_of(self, ids: Sequence[int] | Ids) -> StoredVectors:
        """Stored vectors of existing ids, float16 [n, dim], in their order."""
        rows = self.catalog.stored([int(i) for i in ids])
        return self.vectors([rows[int(i)] for i in ids])

    @property
    def background(self) -> Background | None:
        """Statistics of this version's vectors; None where it has no pictures."""
        return None

    def vectors(self, rows: Sequence[dict[str, Any]]) -> StoredVectors:
        """Stored vectors of catalog rows, float16 [n, dim], in their order."""
        found = np.empty((len(rows), self.manifest.model.dim), dtype=np.float16)
        for position, row in enumerate(rows):
            found[position] = self._segment(row["segment"])[row["segment_offset"]]
        return found

    def _segment(self, name: str) -> StoredVectors:
        if name not in self._vectors:
            self._vectors[name] = load_vectors(self.layout, name)
        return self._vectors[name]

    def is_current(self) -> bool:
        """Whether no newer version has been published."""
        return published_version(self.layout) == self.manifest.version

    def close(self) -> None:
        """Let go of the files; the version may then be collected."""
        if "catalog" in self.__dict__:
            self.catalog.close()
        self._lease.close()

    def __del__(self) -> None:
        if hasattr(self, "_lease"):  # absent where opening failed
            self.close()


def _lease_current(layout: Layout) -> tuple[IO[bytes], Manifest]:
    """Take a lease on the published version; a version collected between two steps just means a newer one is there."""
    for _ in range(_ATTEMPTS):
        path = layout.manifest(published_version(layout))
        lease = take_lease(path)
        if lease is not None:
            try:
                return lease, read_manifest(path)
            except BaseException:
                lease.close()
                raise
        if not path.exists() and path == layout.manifest(published_version(layout)):
            break
    raise IndexDamaged(
        f"{layout.current} names a version that is not there; run `clipsearch repair --index {layout.path}`."
    )
