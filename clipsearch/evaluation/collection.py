"""The pictures of an index as an evaluation sees them: copies of one content are one picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from clipsearch.errors import PictureError
from clipsearch.evaluation.types import Shown
from clipsearch.query.index import Index
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Ids, StoredVectors


@dataclass(frozen=True, eq=False)
class Collection:
    """An index with one id for each content.

    Without that, a picture that was copied could never be the one right answer: its copy scores the same.

    Attributes:
        ids: the first id of each content, int64 [n], ascending.
    """

    index: Index
    snapshot: Snapshot
    ids: Ids
    _all: Ids
    _first: Ids

    def of(self, ids: Sequence[int] | Ids) -> Ids:
        """For existing ids, the id that stands for the content of each."""
        return self._first[np.searchsorted(self._all, np.asarray(ids, np.int64))]

    def blocks(self) -> Iterator[tuple[Ids, StoredVectors]]:
        """Every content's id and vector, in portions."""
        return self.snapshot.places.blocks(self.ids)

    def vectors_of(self, ids: Ids) -> StoredVectors:
        """Stored vectors, float16 [n, dim], in the order of `ids`."""
        return self.snapshot.vectors_of(ids)

    def contents(self, ids: Ids) -> Iterator[tuple[int, bytes]]:
        """The encoded bytes of pictures by id; those whose files are not there now are left out."""
        for picture in ids.tolist():
            try:
                yield picture, self.index.picture(picture)
            except PictureError:
                continue

    def shown(self, picture_id: int) -> Shown:
        """A picture by id and path."""
        return Shown(picture_id, str(self.index.get(picture_id)["path"]))

    def named(self, names: Iterable[str]) -> dict[str, int]:
        """Ids of pictures by name: the path within the index, or as much of its end as only one content has. Names of
        no picture, or of several, are left out."""
        table = self.snapshot.catalog.query("SELECT id, path FROM images ORDER BY id")
        ids, paths = table["id"].to_pylist(), table["path"].to_pylist()
        by_path: dict[str, int] = {}
        by_file: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for picture, path in zip(ids, paths, strict=True):
            by_path.setdefault(path, picture)
            by_file[PurePosixPath(path).name].append((picture, path))
        found = {}
        for name in set(names):
            ending = name if name.startswith("/") else f"/{name}"
            alike = [picture for picture, path in by_file[PurePosixPath(name).name] if f"/{path}".endswith(ending)]
            if name in by_path:
                found[name] = by_path[name]
            elif len(set(self.of(alike).tolist())) == 1:
                found[name] = alike[0]
        return found


def drawn(ids: Ids, count: int) -> Ids:
    """At most `count` of ascending ids, drawn at random but always the same, ascending."""
    return ids if len(ids) <= count else np.sort(np.random.default_rng(0).choice(ids, count, replace=False))


def collection_of(index: Index, snapshot: Snapshot) -> Collection:
    """The contents of an open index, as its version `snapshot` has them."""
    table = snapshot.catalog.query(
        # What was imported without a picture has no content that it could share.
        "SELECT id, min(id) OVER (PARTITION BY coalesce(content_hash, id::VARCHAR)) AS first FROM images ORDER BY id"
    )
    every, first = (table[name].to_numpy().astype(np.int64) for name in ("id", "first"))
    return Collection(index, snapshot, np.unique(first), every, first)
