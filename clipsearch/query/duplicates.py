"""Which pictures are there more than once: byte for byte, or saved again in another size, quality or trim.

Nothing here changes an index or a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, islice, repeat
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from clipsearch.errors import QueryError
from clipsearch.query.best import BEST_FIRST, why_best
from clipsearch.query.filters import Filter, survivors
from clipsearch.query.results import place
from clipsearch.query.sameness import LEAST_COSINE
from clipsearch.query.stars import Star, near_stars
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Copy, DuplicateGroup, Ids

Level = Literal["bytes", "near"]
Progress = Callable[[int, int], None]
"""Called with how many pictures have been looked at, of how many."""

_ROWS_AT_ONCE = 1024

_ONE = 1 - 2**-11
"""Cosine of a stored vector with itself, whose numbers are float16."""


def duplicates(
    snapshot: Snapshot,
    level: Level = "bytes",
    *,
    threshold: float | None = None,
    where: str | Filter | None = None,
    progress: Progress | None = None,
) -> Iterator[DuplicateGroup]:
    """Groups of the same picture, one after the other, in memory that grows by some 40 bytes a picture.

    Args:
        snapshot: the version to look into.
        level: `bytes` for contents that are equal byte for byte; `near` for near-duplicates as well, see
            `clipsearch.query.sameness`.
        threshold: for `near`, the least cosine of two embeddings, 0..1; 0.93 where it is not given.
        where: look only among the pictures that pass a filter or an SQL condition.
        progress: told from time to time how far the search for near-duplicates has come.

    The picture to keep is the largest by its pixels, then the sharpest (by a factor of two; less than that is the
    doing of the compression), then the one whose file is oldest, then the one with the smallest id. A picture belongs
    to one group at most: that of the best picture it is the same as. Every member is the same as the one to keep; that
    two members are both like a third makes no group, so a row of photos that each resemble the next does not end up in
    one pile. Groups with the largest pictures come first.

    Raises:
        QueryError: the level, threshold or filter makes no sense, or the pictures have no perceptual hashes.
    """
    if level not in ("bytes", "near"):
        raise QueryError(f"There is no level {level!r}; choose bytes or near.")
    if threshold is not None and level == "bytes":
        raise QueryError("Equal bytes need no threshold; leave it out, or choose the level near.")
    if threshold is not None and not 0 < threshold <= 1:
        raise QueryError(f"The threshold {threshold} is no cosine above 0 and up to 1; choose one such as 0.95.")
    among = survivors(snapshot, where)
    if level == "bytes":
        return _hydrated(snapshot, _equal_contents(snapshot, among))
    least = LEAST_COSINE if threshold is None else min(threshold, _ONE)
    return _hydrated(snapshot, near_stars(snapshot, least, among, progress))


def _equal_contents(snapshot: Snapshot, among: Ids | None) -> Iterator[Star]:
    """Rows of equal content, the largest first."""
    rows = _rows_of_equal_content(snapshot, among)
    for _, group in groupby(rows, key=lambda row: row[0]):
        ids = np.array([picture for _, picture in group], dtype=np.int64)
        if len(ids) > 1:
            yield Star(int(ids[0]), ids[1:], np.ones(len(ids) - 1, np.float32))


def _rows_of_equal_content(snapshot: Snapshot, among: Ids | None) -> Iterator[tuple[str, int]]:
    several = "SELECT content_hash FROM pictures GROUP BY content_hash HAVING count(*) > 1"
    batches = snapshot.catalog.arrow(
        f"SELECT content_hash, id FROM pictures WHERE content_hash IN ({several}) "
        f"ORDER BY width::BIGINT * height DESC NULLS LAST, content_hash, {BEST_FIRST}"
    )
    for batch in batches:
        if among is not None:
            batch = batch.filter(pa.array(np.isin(batch["id"].to_numpy(), among)))
        yield from zip(batch["content_hash"].to_pylist(), batch["id"].to_pylist(), strict=True)


def _hydrated(snapshot: Snapshot, stars: Iterator[Star]) -> Iterator[DuplicateGroup]:
    """Groups with what people want to see of each picture, many of them by one look into the catalog."""
    waiting: list[Star] = []
    rows = 0
    for star in stars:
        waiting.append(star)
        rows += 1 + len(star.members)
        if rows >= _ROWS_AT_ONCE:
            yield from _groups(snapshot, waiting)
            waiting, rows = [], 0
    yield from _groups(snapshot, waiting)


def _groups(snapshot: Snapshot, stars: Sequence[Star]) -> Iterator[DuplicateGroup]:
    if not stars:
        return
    rows = _rows(snapshot, np.concatenate([np.append(star.keep, star.members) for star in stars]))
    roots = snapshot.roots()
    for star in stars:
        members = list(islice(rows, 1 + len(star.members)))
        keep, *also = map(_copy, members, [1.0, *star.cosines.tolist()], repeat(roots))
        yield DuplicateGroup(keep, tuple(also), why_best(members))


def _rows(snapshot: Snapshot, ids: Ids) -> Iterator[dict[str, Any]]:
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        yield from snapshot.records.of(ids[start : start + _ROWS_AT_ONCE]).to_pylist()


def _copy(row: dict[str, Any], similarity: float, roots: Mapping[str, Path]) -> Copy:
    return Copy(
        id=row["id"],
        path=place(row, roots),
        width=row["width"],
        height=row["height"],
        bytes=row["bytes"],
        similarity=min(similarity, 1.0),
    )
