"""A second model without weights, and a further space for an index, written without an indexer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

import clipsearch
from clipsearch.query.embed import image_vectors
from clipsearch.store.layout import Layout
from clipsearch.store.manifest import ModelRef
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.spaces import Space, Spaces, path_of, read_spaces, write_spaces
from clipsearch.store.writer import locked, writer_of
from clipsearch.types import Encoder, Pixels, Vectors
from clipsearch_indexer.probes import store_probes
from tests.toy import ToyEncoder


class OtherEncoder(ToyEncoder):
    """What `ToyEncoder` sees, squashed into 24 numbers: other neighbours, another mean and another spread."""

    def __init__(self, name: str = "other") -> None:
        super().__init__(name)
        self._projection = np.random.default_rng(99).normal(size=(self.dim, 24)) * 2
        self.dim = 24

    def encode_images(self, pixels: Pixels) -> Vectors:
        return self._squashed(super().encode_images(pixels))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._squashed(super().encode_texts(texts))

    def _squashed(self, vectors: Vectors) -> Vectors:
        values = np.tanh(vectors @ self._projection) + np.linspace(-0.2, 0.6, 24)
        return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def add_space(
    path: Path,
    name: str,
    encoder: Encoder,
    *,
    of: Literal["pictures", "captions"] = "pictures",
    without: Sequence[int] = (),
) -> None:
    """Embed an index's pictures, or the captions of those that have one, into a further space; `without` are left
    out. What answers stays as it is."""
    with clipsearch.open(path) as index:
        table = index.sql("SELECT id, caption FROM images ORDER BY id").to_pydict()
        chosen = {
            i: caption
            for i, caption in zip(table["id"], table["caption"], strict=True)
            if i not in without and (of == "pictures" or caption is not None)
        }
        ids = list(chosen)
        if of == "captions":
            vectors = encoder.encode_texts(list(chosen.values()))
        else:
            vectors = image_vectors(encoder, [index.picture(i) for i in ids])
    listed = read_spaces(path)
    space = Space(name, of, f"spaces/{name}")
    write_vectors(path, space, encoder, ids, vectors)
    write_spaces(path, Spaces((*listed.spaces, space), listed.answering))


def write_vectors(path: Path, space: Space, encoder: Encoder, ids: list[int], vectors: Vectors) -> None:
    """Write an index directory with rows of the main space's and other vectors."""
    main = Snapshot(path)
    rows = main.catalog.stored(ids)
    table = pa.Table.from_pylist(
        [{name: rows[i].get(name) for name in ROW_SCHEMA.names} for i in ids], schema=ROW_SCHEMA
    )
    with locked(path):
        folder = path_of(path, space)
        writer = writer_of(folder, ModelRef(encoder.name, encoder.fingerprint, encoder.dim))
        writer.roots |= {root.alias: root for root in main.manifest.roots}
        writer.spend_ids(main.manifest.next_id)
        store_probes(Layout(folder), encoder, lambda done, total: None)
        writer.append(table, vectors.astype(np.float16))
        writer.publish()
    main.close()


def answer_with(path: Path, **weights: float) -> None:
    """Say which spaces answer."""
    with locked(path):
        write_spaces(path, Spaces(read_spaces(path).spaces, tuple(weights.items())))
