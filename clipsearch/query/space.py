"""What a query is compared with: the vectors of one embedding space, or of several as if they were one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import QueryError
from clipsearch.query.options import Options
from clipsearch.query.relevance import relevance
from clipsearch.query.terms import Query
from clipsearch.query.vectors import Asked, asked_vectors, require
from clipsearch.store.background import Background, Kind, measure
from clipsearch.store.nearest import Nearest
from clipsearch.store.probes import read_probes
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Encoder, Ids, StoredVectors, Vectors

SAMPLE = 4_000
"""Pictures looked at for statistics that a reader makes itself: standard errors of the moments below 2 % of the spread,
in some tenths of a second."""


class Searchable(Protocol):
    """Vectors with one inner product for query and picture, in a version that does not change."""

    @property
    def main(self) -> Snapshot:
        """Where filters, groups, orders and metadata are read."""

    @property
    def version(self) -> str:
        """What was published of it."""

    def __len__(self) -> int:
        """How many pictures can be found."""

    def asked(self, queries: Sequence[Query], options: Options) -> list[Asked]:
        """Vectors of queries that each ask something; see `asked_vectors`."""

    def there(self, among: Ids | None) -> Ids | None:
        """Those of some pictures of `main` (ascending; None for all) that can be found; None where all can."""

    def nearest(self, queries: Vectors, k: int, *, among: Ids | None, without: Sequence[int]) -> Nearest:
        """The `k` best pictures of each query; `among` is what `there` gave, `without` are ids to leave out."""

    def vectors_of(self, ids: Ids) -> StoredVectors | Vectors:
        """Vectors of pictures that can be found, [n, dim], whose inner products with queries are the scores."""

    def relevance(
        self,
        queries: Vectors,
        scores: NDArray[np.float32],
        ids: Ids,
        pictures: int,
        *,
        has_text: bool,
        owners: NDArray[np.intp] | None,
    ) -> NDArray[np.float32] | None:
        """How surely each hit, with its score, is a match of the query [dim], or of that one of several [m, dim] which
        `owners` names; see `clipsearch.query.relevance`."""


@dataclass(frozen=True)
class OneSpace:
    """One space of an index.

    Attributes:
        name: what it is called.
        snapshot: its vectors.
        main: the main space of the index, often the same.
        encoder: gives its model; not called where no query needs it.
        of_captions: whether its vectors are of captions.
        pictures: for captions, pictures that the same model embedded, if there are any.
    """

    name: str
    snapshot: Snapshot
    main: Snapshot
    encoder: Callable[[], Encoder]
    of_captions: bool = False
    pictures: Snapshot | None = None

    @property
    def version(self) -> str:
        """See `Searchable`."""
        version = str(self.snapshot.manifest.version)
        return version if self.snapshot is self.main else f"{version} of {self.name}"

    @cached_property
    def background(self) -> Background | None:
        """What is known of its vectors: as published, but for captions that are searched by pictures."""
        own = self.snapshot.background
        return own if own is None or not self.of_captions else replace(own, by_picture=self._asked_by_pictures(own))

    def __len__(self) -> int:
        return self.snapshot.manifest.rows if self._known is None else len(self._known)

    def asked(self, queries: Sequence[Query], options: Options) -> list[Asked]:
        """See `Searchable`."""
        for ids in (*(stored_ids(query) for query in queries), options.like, options.unlike):
            self._require(ids)
        return asked_vectors(self.snapshot, self.encoder, queries, options)

    def there(self, among: Ids | None) -> Ids | None:
        """See `Searchable`."""
        if self.snapshot is self.main:
            return among
        return self._known if among is None else among[self.snapshot.places.exist(among)]

    def nearest(self, queries: Vectors, k: int, *, among: Ids | None, without: Sequence[int]) -> Nearest:
        """See `Searchable`."""
        return self.snapshot.nearest(queries, k, among=among, without=without)

    def vectors_of(self, ids: Ids) -> StoredVectors:
        """See `Searchable`."""
        return self.snapshot.vectors_of(ids)

    def vectors_or_zero(self, ids: Ids) -> tuple[Vectors, NDArray[np.bool_]]:
        """Stored vectors of ids, float32 [n, dim], zero where it lacks one; and which it has, bool [n]."""
        return _or_zero(self.snapshot, ids)

    def as_queries(self, ids: Ids) -> Vectors | None:
        """Pictures as they are searched by here, float32 [n, dim], zero where that is not known; None where no model
        is there to know it."""
        asked_by = self.pictures if self.of_captions else self.snapshot
        return None if asked_by is None else _or_zero(asked_by, ids)[0]

    def probe_vectors(self) -> Vectors | None:
        """The probe texts as its model embeds them, float32 [n, dim]; None where they have not been yet."""
        found = read_probes(self.snapshot.layout.path, self.snapshot.manifest.model.fingerprint)
        return None if found is None else found.vectors

    def relevance(
        self,
        queries: Vectors,
        scores: NDArray[np.float32],
        ids: Ids,
        pictures: int,
        *,
        has_text: bool,
        owners: NDArray[np.intp] | None,
    ) -> NDArray[np.float32] | None:
        """See `Searchable`."""
        vectors = self.vectors_of(ids)
        return relevance(self.background, queries, scores, vectors, pictures, has_text=has_text, owners=owners)

    @cached_property
    def _known(self) -> Ids | None:
        """Ids that the main space has as well; None where it has all. It may be ahead: rows that are gone from it wait
        here for the end of the indexing run."""
        if self.snapshot is self.main:
            return None
        mine = self.snapshot.places.ids()
        known = self.main.places.exist(mine)
        return None if known.all() else mine[known]

    def _require(self, ids: Sequence[int]) -> None:
        if not ids:
            return
        require(self.main, ids)
        there = self.snapshot.places.exist(np.asarray(ids, np.int64))
        if not there.all():
            missing = ids[int(np.argmin(there))]
            raise QueryError(f"Picture {missing} is not in the space {self.name}; ask with another, or another space.")

    def _asked_by_pictures(self, own: Background) -> Kind | None:
        """Queries by picture in captions: pictures lie apart from texts, so captions as queries would not tell what a
        picture's inner products with captions come to."""
        if self.pictures is None:
            return None
        ids = self.snapshot.places.ids()
        some = sampled(ids[self.pictures.places.exist(ids)])
        if not len(some):
            return None
        asked = self.pictures.vectors_of(some).astype(np.float32)
        stored = self.snapshot.vectors_of(some)
        return measure(stored, None, rows=own.rows, next_id=own.next_id, as_queries=asked).by_picture


def _or_zero(snapshot: Snapshot, ids: Ids) -> tuple[Vectors, NDArray[np.bool_]]:
    there = snapshot.places.exist(ids)
    found = np.zeros((len(ids), snapshot.manifest.model.dim), np.float32)
    found[there] = snapshot.vectors_of(ids[there])
    return found, there


def stored_ids(query: Query) -> list[int]:
    """The indexed pictures that are terms of a query."""
    return [term.value for term in query.terms if term.kind == "stored"]


def sampled(ids: Ids) -> Ids:
    """At most `SAMPLE` of the ids, drawn uniformly with a fixed seed, in their order."""
    if len(ids) <= SAMPLE:
        return ids
    return ids[np.sort(np.random.default_rng(0).choice(len(ids), SAMPLE, replace=False))]
