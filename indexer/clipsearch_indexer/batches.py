"""A chunk of pictures with their vectors into one batch of the log: rows, removals and failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from clipsearch.errors import PictureError
from clipsearch.pictures import Appearance
from clipsearch.store.schema import ROW_SCHEMA, own_names
from clipsearch.store.segments import failures_of, removals_of
from clipsearch.store.writer import IndexWriter
from clipsearch.types import PictureFacts, StoredVectors
from clipsearch_indexer.candidates import Candidate, Chunk
from clipsearch_indexer.encode import EncodedBatch
from clipsearch_indexer.known import KnownPicture
from clipsearch_indexer.plan import Plan
from clipsearch_indexer.prepare import Prepared

_FACTS = tuple(field.name for field in fields(PictureFacts))
_LOOKS = tuple(field.name for field in fields(Appearance))


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """What became of a chunk's pictures."""

    embedded: int = 0
    reused: int = 0
    failed: int = 0

    @property
    def pictures(self) -> int:
        """How many there were."""
        return self.embedded + self.reused + self.failed


class BatchWriter:
    """Gives out ids and appends batches to the log. All of it happens in one thread, batch after batch."""

    def __init__(self, writer: IndexWriter, dim: int, plan: Plan) -> None:
        self._writer, self._dim, self._plan = writer, dim, plan
        self.claimed: set[int] = set()
        """Ids of vanished pictures that live on under another name."""

    def write(self, batch: EncodedBatch) -> BatchCounts:
        """Append one batch; when this returns it is on the disk."""
        prepared = batch.prepared
        places = [i for i, p in enumerate(prepared) if p.error is None]
        good = [prepared[i] for i in places]
        ids = self._ids(good)
        self._writer.append(
            _rows(batch.chunk, good, places, ids, batch.pictures),
            stacked([batch.pictures[p.content_hash].vector for p in good], self._dim),
            removals=removals_of(_replaced(good, ids) + _lost(prepared)),
            failures=failures_of([_failure(p.candidate, p.error) for p in prepared if p.error is not None]),
        )
        return BatchCounts(batch.embedded, len(good) - batch.embedded, len(prepared) - len(good))

    def _ids(self, prepared: Sequence[Prepared]) -> list[int]:
        """Ids: the old one where the content is the same, that of a vanished picture for a rename, else a new one.

        So an id always means the same vector.
        """
        kept = [p.candidate.old_id if p.candidate.old_hash == p.content_hash else None for p in prepared]
        homeless = [p.content_hash for p, old in zip(prepared, kept, strict=True) if old is None]
        vanished: dict[str, list[int]] = {}
        for content_hash, picture_id in self._plan.vanished_with(homeless):
            if picture_id not in self.claimed:
                vanished.setdefault(content_hash, []).append(picture_id)
        return [
            old if old is not None else self._claim(vanished.get(p.content_hash, []))
            for p, old in zip(prepared, kept, strict=True)
        ]

    def _claim(self, vanished: list[int]) -> int:
        if not vanished:
            return self._writer.take_ids(1)[0]
        picture_id = vanished.pop(0)
        self.claimed.add(picture_id)
        return picture_id


def stacked(vectors: Sequence[StoredVectors], dim: int) -> StoredVectors:
    """Vectors as one array, float16 [n, dim], also where there are none."""
    return np.stack(vectors) if vectors else np.empty((0, dim), np.float16)


def _rows(
    chunk: Chunk,
    prepared: Sequence[Prepared],
    places: Sequence[int],
    ids: Sequence[int],
    vectors: Mapping[str, KnownPicture],
) -> pa.Table:
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [_row(p, picture_id, vectors[p.content_hash], now) for p, picture_id in zip(prepared, ids, strict=True)]
    table = pa.Table.from_pylist(rows, schema=ROW_SCHEMA)
    if chunk.columns is None:
        return table
    further = chunk.columns.take(pa.array(places, pa.int64()))
    for name, column in zip(own_names(further.column_names), further.columns, strict=True):
        table = table.append_column(name, column)
    return table


def _row(prepared: Prepared, picture_id: int, picture: KnownPicture, now: datetime) -> dict[str, Any]:
    candidate = prepared.candidate
    facts = picture.facts
    if candidate.caption is not None:
        facts = replace(facts, caption=candidate.caption)
    return {
        "id": picture_id,
        "root": candidate.root,
        "path": candidate.path,
        "file": candidate.file,
        "shard": candidate.shard,
        "row_group": candidate.row_group,
        "row": candidate.row,
        "image_column": candidate.image_column,
        "content_hash": prepared.content_hash,
        "bytes": prepared.size,
        "mtime_ns": candidate.mtime_ns,
        "indexed_at": now,
        **{name: getattr(facts, name) for name in _FACTS},
        **{name: getattr(picture.looks, name) for name in _LOOKS},
    }


def _replaced(prepared: Sequence[Prepared], ids: Sequence[int]) -> list[int]:
    """Old ids of pictures whose content changed."""
    return [
        p.candidate.old_id
        for p, picture_id in zip(prepared, ids, strict=True)
        if p.candidate.old_id is not None and p.candidate.old_id != picture_id
    ]


def _lost(prepared: Sequence[Prepared]) -> list[int]:
    """Old ids of pictures that cannot be read any more."""
    return [p.candidate.old_id for p in prepared if p.error is not None and p.candidate.old_id is not None]


def _failure(candidate: Candidate, error: PictureError) -> dict[str, Any]:
    return {
        "root": candidate.root,
        "path": candidate.path,
        "reason": error.reason,
        "message": str(error),
        "bytes": candidate.size,
        "mtime_ns": candidate.mtime_ns,
        "failed_at": datetime.now(UTC).replace(tzinfo=None),
    }
