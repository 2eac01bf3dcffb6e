"""A reader's view: one published version, unchanged until it is closed whatever a writer does meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

from clipsearch.ann.exact import ExactIndex
from clipsearch.ann.trained import TrainedIndex
from clipsearch.errors import IndexDamaged, IndexNotFound, QueryError
from clipsearch.store.approximate import Approximate
from clipsearch.store.background import Background
from clipsearch.store.background import read as read_background
from clipsearch.store.layout import Layout
from clipsearch.store.lock import take_lease
from clipsearch.store.manifest import Manifest, Root, published_version, read_manifest
from clipsearch.store.nearest import Nearest
from clipsearch.store.places import Places
from clipsearch.store.records import Records
from clipsearch.store.search import Searcher, as_ids
from clipsearch.store.spaces import main_folder, path_of, read_spaces
from clipsearch.types import Ids, StoredVectors, Vectors

if TYPE_CHECKING:
    from clipsearch.store.catalog import Catalog

_ATTEMPTS = 100


class Snapshot:
    """One published version of an index, opened read-only.

    Args:
        path: the index directory.
        space: the name of one of its spaces; by default the main one.

    Attributes:
        path: the index directory.
        layout: of the space that is open, which lies in the index directory or is it.
        manifest: of the version that is open.

    Raises:
        IndexNotFound: there is no index at `path`.
        IndexDamaged: a file of the published version is missing or unreadable.
        QueryError: there is no such space.
    """

    def __init__(self, path: str | Path, space: str | None = None) -> None:
        self.path, self._space = Path(path).expanduser().absolute(), space
        self.layout, self._lease, self.manifest = self._lease_newest()

    def _lease_newest(self) -> tuple[Layout, IO[bytes], Manifest]:
        while True:
            layout = Layout(self._folder())
            try:
                return layout, *_lease_current(layout)
            except (IndexNotFound, IndexDamaged):
                if self._folder() == layout.path:
                    raise  # and no space that was dropped after another one had become the main one

    def _folder(self) -> Path:
        """Where the space lies now."""
        if self._space is None:
            return main_folder(self.path)
        return path_of(self.path, read_spaces(self.path).named(self._space))

    @cached_property
    def catalog(self) -> Catalog:
        """The version's metadata, for conditions and statistics."""
        from clipsearch.store.catalog import Catalog  # and with it DuckDB, which few searches need

        return Catalog(self.layout.path / self.manifest.catalog.name)

    @cached_property
    def places(self) -> Places:
        """Where each id's vector lies."""
        segments = [segment.name for segment in self.manifest.segments]
        return Places(self.layout.path / self.manifest.places.name, self.layout, segments, self.manifest.model.dim)

    @cached_property
    def records(self) -> Records:
        """The version's metadata by id."""
        return Records([self.layout.path / file.name for file in self.manifest.records])

    @cached_property
    def searcher(self) -> Searcher:
        """The version's vector index."""
        folder, manifest = self.layout.path, self.manifest
        ref = manifest.trained
        trained = None
        if ref is not None:
            index = TrainedIndex(folder / ref.index.name, folder / ref.lists.name)
            trained = Approximate(index, ref, self.places)
        exact = ExactIndex(folder / manifest.ann.name)
        return Searcher(exact, trained, self.places, manifest.rows, manifest.model.dim)

    @cached_property
    def background(self) -> Background | None:
        """Statistics of this version's vectors; None where it has no pictures."""
        ref = self.manifest.background
        return read_background(self.layout.path / ref.name) if ref else None

    def roots(self) -> dict[str, Path]:
        """Where each root is, by alias."""
        return {root.alias: root.resolve(self.layout.path) for root in self.manifest.roots}

    def offline_roots(self) -> tuple[Root, ...]:
        """Roots whose folder is not there at present."""
        return tuple(r for r in self.manifest.roots if not r.resolve(self.layout.path).is_dir())

    def nearest(self, queries: Vectors, k: int, *, among: Ids | None = None, without: Sequence[int] = ()) -> Nearest:
        """The `k` nearest pictures of each query, float32 [n, dim] of norm 1; fewer only where there are fewer.

        `among` (sorted int64) are the only ids that may be returned; `without` are ids to leave out.
        """
        return self.searcher.nearest(queries, k, among, as_ids(without))

    def alike(self, queries: Vectors, k: int, *, among: Ids | None = None) -> Nearest:
        """As `nearest`, for copies: a few times as quick, and sure to find only what is very close to a query."""
        return self.searcher.nearest(queries, k, among, as_ids([]), alike=True)

    def vectors_of(self, ids: Sequence[int] | Ids) -> StoredVectors:
        """Stored vectors of existing ids, float16 [n, dim], in their order."""
        return self.places.vectors_of(as_ids(ids))

    def is_current(self) -> bool:
        """Whether no newer version has been published, and what was opened is still the main space, or that of its
        name."""
        try:
            return self._folder() == self.layout.path and published_version(self.layout) == self.manifest.version
        except (IndexNotFound, QueryError):  # dropped
            return False

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
