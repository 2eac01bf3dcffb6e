"""What is missing in a space, embedded batch by batch: pictures, each read again, or captions."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from clipsearch.pictures.for_model import Target
from clipsearch.pictures.isolated import Decoders
from clipsearch.store.writer import IndexWriter
from clipsearch.types import Encoder, StoredVectors
from clipsearch_indexer.batches import stacked
from clipsearch_indexer.candidates import Candidate, Chunk
from clipsearch_indexer.chunks import chunked
from clipsearch_indexer.encode import BatchEncoder
from clipsearch_indexer.known import KnownContents
from clipsearch_indexer.prepare import Prepared, Preparer, prepare_all
from clipsearch_indexer.spaces.difference import Difference
from clipsearch_indexer.spaces.places import candidates
from clipsearch_indexer.timing import Timing

_CAPTIONS = 64
"""Captions a batch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch: `ids` with vectors float16 [n, dim], of which `embedded` went through the model; `changed` pictures
    are not any more what was indexed, and `unreadable` ones are listed with the reason."""

    ids: Sequence[int]
    vectors: StoredVectors
    embedded: int
    changed: int = 0
    unreadable: tuple[str, ...] = field(default=())

    @property
    def looked_at(self) -> int:
        """How many pictures were looked at."""
        return len(self.ids) + self.changed + len(self.unreadable)


@dataclass(frozen=True, slots=True)
class Reading:
    """How pictures are read again: from which roots that are there, and as `clipsearch_indexer.build` says."""

    roots: Mapping[str, Path]
    workers: int
    batch_size: int | None
    max_pixels: int


def embed_pictures(
    difference: Difference, encoder: Encoder, known: KnownContents, reading: Reading, offline: Sequence[str]
) -> Generator[Batch, None, None]:
    """Batches of the pictures that a space lacks. A content whose vector it has (`known`) is not embedded again."""
    found = candidates(difference.missing(offline), reading.roots)
    chunks = (Chunk(some) for some in chunked(found, reading.batch_size or encoder.batch_size))
    with Decoders(reading.workers, Target(encoder.preprocessing, reading.max_pixels)) as decoders:
        preparer = Preparer(decoders, known.seem_known, Timing())
        encoding = BatchEncoder(encoder, preparer, known)
        with closing(prepare_all(chunks, preparer)) as ready:
            for chunk, prepared in ready:
                yield _batch(chunk, prepared, encoding, encoder.dim)


def _batch(chunk: Chunk, prepared: Sequence[Prepared], encoding: BatchEncoder, dim: int) -> Batch:
    unchanged = [p for p in prepared if p.error is not None or p.content_hash == p.candidate.old_hash]
    encoded = encoding.encode(chunk, unchanged)
    good = [p for p in encoded.prepared if p.error is None]
    return Batch(
        [_id(p.candidate) for p in good],
        stacked([encoded.pictures[p.content_hash].vector for p in good], dim),
        encoded.embedded,
        changed=len(prepared) - len(unchanged),
        unreadable=tuple(f"{p.candidate.path}: {p.error}" for p in encoded.prepared if p.error is not None),
    )


def embed_captions(difference: Difference, encoder: Encoder) -> Generator[Batch, None, None]:
    """Batches of the captions that a space lacks, each text of a batch embedded once."""
    for rows in chunked(difference.missing(), _CAPTIONS):
        texts = list(dict.fromkeys(row["caption"] for row in rows))
        vectors = dict(zip(texts, encoder.encode_texts(texts).astype(np.float16), strict=True))
        yield Batch(
            [row["id"] for row in rows], stacked([vectors[row["caption"]] for row in rows], encoder.dim), len(texts)
        )


def append(writer: IndexWriter, difference: Difference, batch: Batch) -> None:
    """Put a batch into the log of a space, with the main space's rows."""
    if len(batch.ids):
        writer.append(difference.rows(batch.ids), batch.vectors)


def _id(candidate: Candidate) -> int:
    assert candidate.old_id is not None  # all of these are indexed
    return candidate.old_id
