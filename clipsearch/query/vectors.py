"""Queries into vectors: terms embedded together, mixed, and moved by feedback."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from clipsearch.errors import QueryError
from clipsearch.query.embed import embed
from clipsearch.query.mixing import Spread, Vector, mix, rocchio
from clipsearch.query.options import Options
from clipsearch.query.terms import Query, text
from clipsearch.store.search import as_ids
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Encoder, Vectors

_SPREAD_FROM = 30
"""Pictures that it takes to know a spread to 13 %: the standard error of a standard deviation is 1 / sqrt(2n)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as vectors: what to be near, float32 [dim], and texts not to be relevant to, [n, dim]. They have norm 1
    except for several spaces together (`clipsearch.query.fusion`)."""

    vector: Vector
    unless: Vectors
    has_text: bool


def asked_vectors(
    snapshot: Snapshot, encoder: Callable[[], Encoder], queries: Sequence[Query], options: Options
) -> list[Asked]:
    """The vectors of each query, zero where it asks nothing; all texts of all queries are encoded together, and all
    pictures. The ids that take part exist.

    Raises:
        QueryError: a query asks something that cannot be used.
        ModelError: the index's model cannot be loaded.
    """
    terms = [term for query in queries for term in query.terms]
    excluded = [text(sentence) for query in queries for sentence in query.unless]
    dim = snapshot.manifest.model.dim
    vectors = embed([*terms, *excluded], encoder, snapshot.vectors_of, dim, templates=options.templates)
    of_query = np.split(vectors[: len(terms)], np.cumsum([len(query.terms) for query in queries])[:-1])
    unless = np.split(vectors[len(terms) :], np.cumsum([len(query.unless) for query in queries])[:-1])
    liked, unliked = (snapshot.vectors_of(ids).astype(np.float32) for ids in (options.like, options.unlike))
    spread = _spread(snapshot)
    asked = []
    for query, mine, not_these in zip(queries, of_query, unless, strict=True):
        vector = mix(mine, [term.weight for term in query.terms], spread) if query.terms else None
        if len(liked) or len(unliked):
            vector = rocchio(vector, liked, unliked, spread)
        asked.append(Asked(np.zeros(dim, np.float32) if vector is None else vector, not_these, query.has_text))
    return asked


def _spread(snapshot: Snapshot) -> Spread | None:
    """The index's spread, where it has pictures enough to have one."""
    background = snapshot.background
    return background.spread if background is not None and snapshot.manifest.rows >= _SPREAD_FROM else None


def require(snapshot: Snapshot, ids: Sequence[int]) -> None:
    """Raise QueryError for an id that does not exist."""
    there = snapshot.places.exist(as_ids(ids))
    for picture, found in zip(ids, there, strict=True):
        if not found:
            raise QueryError(f"There is no picture with id {picture} in this index.")
