"""Examples to learn labels from: a folder with a folder for each label, or a Parquet file with a column of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clipsearch.errors import PictureError, SourceError
from clipsearch.names import from_stored, to_stored
from clipsearch.pictures import content_hash, read_file, read_picture
from clipsearch.pictures.parquet import PICTURE_SUFFIXES, SHARD_SUFFIXES, inspect_shard, open_shard, picture_cells
from clipsearch.query.embed import image_vectors
from clipsearch.store.sql import literal
from clipsearch.types import Tell, Vectors

if TYPE_CHECKING:
    from clipsearch.query.index import Index

_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Pictures with labels.

    Attributes:
        vectors: float32 [n, dim] of norm 1.
        labels: the label of each.
        stored: how many of them are in the index, whose vectors were there already.
        unreadable: how many more could not be read.
    """

    vectors: Vectors
    labels: tuple[str, ...]
    stored: int
    unreadable: int


def read_examples(index: Index, source: Path, label_column: str, tell: Tell) -> Examples:
    """Read examples; those whose bytes are in the index, under whatever name, are not embedded again.

    Args:
        index: gives stored vectors, and the model for the others.
        source: a folder with a folder for each label, pictures anywhere below; or a Parquet file of pictures.
        label_column: of a Parquet file.
        tell: hears of the work.

    Raises:
        SourceError: there are no such examples, or none can be read.
    """
    found = _of_shard(source, label_column) if source.suffix.lower() in SHARD_SUFFIXES else _of_folder(source)
    labels: list[str] = []
    vectors: list[Vectors] = []
    seen = stored = 0
    while some := list(islice(found, _AT_ONCE)):
        tell("reading examples", seen, 0)
        seen += len(some)
        kept, of_kept, known = _embedded(index, [content for _, content in some])
        labels += [some[row][0] for row in kept]
        vectors.append(of_kept)
        stored += known
    if not labels:
        raise SourceError(f"{source} has no picture that can be read as an example; name another folder or file.")
    return Examples(np.concatenate(vectors), tuple(labels), stored, seen - len(labels))


def _of_folder(folder: Path) -> Iterator[tuple[str, bytes | None]]:
    """Labels and contents; None of files that cannot be read."""
    classes = (
        sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")) if folder.is_dir() else []
    )
    if not classes:
        raise SourceError(
            f"{folder} has no folders of examples; put the pictures of each label into a folder of its name."
        )
    for place in classes:
        for path in sorted(place.rglob("*")):
            if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file():
                yield to_stored(place.name), _content(path)


def _of_shard(path: Path, label_column: str) -> Iterator[tuple[str, bytes | None]]:
    layout = inspect_shard(path)
    with open_shard(path) as file:
        names = file.schema_arrow.names
        if label_column not in names:
            raise SourceError(
                f"{path} has no column {label_column!r}; name one with --label-column: {', '.join(names)}."
            )
        for batch in file.iter_batches(_AT_ONCE, columns=[layout.image_column, label_column], use_threads=False):
            cells = picture_cells(batch.column(layout.image_column))
            for label, cell in zip(batch.column(label_column).to_pylist(), cells, strict=True):
                if label is not None:
                    yield str(label), _content(path.parent / from_stored(cell)) if isinstance(cell, str) else cell


def _content(path: Path) -> bytes | None:
    try:
        return read_file(path)
    except PictureError:
        return None


def _embedded(index: Index, contents: Sequence[bytes | None]) -> tuple[list[int], Vectors, int]:
    """Which of the contents are pictures, their vectors, and how many of those were stored."""
    hashes = {row: content_hash(content) for row, content in enumerate(contents) if content}
    ids = _stored_ids(index, sorted(set(hashes.values())))
    found: dict[int, Vectors] = {}
    known = [row for row, digest in hashes.items() if digest in ids]
    if known:
        stored = index.vectors([ids[hashes[row]] for row in known]).astype(np.float32)
        found |= dict(zip(known, stored / np.linalg.norm(stored, axis=1, keepdims=True), strict=True))
    new = {row: contents[row] for row in hashes if row not in found}
    if new:
        size = index.encoder.preprocessing
        pictures = {}
        for row, content in new.items():
            try:
                pictures[row] = read_picture(content or b"", draft=(size.width, size.height)).image
            except PictureError:
                continue
        if pictures:
            found |= dict(zip(pictures, image_vectors(index.encoder, list(pictures.values())), strict=True))
    rows = sorted(found)
    vectors = np.stack([found[row] for row in rows]) if rows else np.empty((0, 0), np.float32)
    return rows, vectors, len(known)


def _stored_ids(index: Index, hashes: Sequence[str]) -> dict[str, int]:
    listed = ", ".join(map(literal, hashes)) or "NULL"
    found = index.sql(
        f"SELECT content_hash, min(id) AS id FROM images WHERE content_hash IN ({listed}) GROUP BY content_hash"
    )
    return dict(zip(found["content_hash"].to_pylist(), found["id"].to_pylist(), strict=True))
