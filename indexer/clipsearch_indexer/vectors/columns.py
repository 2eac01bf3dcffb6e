"""Which column of a Parquet file holds vectors, and which say what picture each belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types

from clipsearch.errors import SourceError

# The usual names of columns, the likeliest first.
_VECTORS = (
    *("vector", "embedding", "embeddings", "emb", "image_embedding", "image_embeddings", "image_emb", "img_emb"),
    *("clip_embedding", "image_vector", "features"),
)
_PATHS = (
    *("image_path", "path", "img_path", "file_path", "filepath", "file", "file_name", "filename"),
    *("image_file", "image_name", "image", "img"),
)
_CAPTIONS = ("caption", "captions", "text", "description", "title", "alt", "alt_text", "prompt", "sentence")


@dataclass(frozen=True, slots=True)
class Named:
    """Columns as a user named them; None is for those to be found."""

    vector: str | None = None
    path: str | None = None
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table: of vectors (None where those lie in a file of their own), of paths, of captions, and
    all `further` ones that say something of a picture, the captions' included where that is called otherwise."""

    vector: str | None
    path: str | None
    caption: str | None
    further: tuple[str, ...]


def columns_of(schema: pa.Schema, named: Named, table: Path, *, with_vectors: bool) -> Columns:
    """Find the columns of a table.

    Raises:
        SourceError: a column that was named is not there, or none or several may hold the vectors.
    """
    for option, name in (("vector", named.vector), ("path", named.path), ("caption", named.caption)):
        if name is not None and name not in schema.names:
            raise SourceError(f"{table}: no column {name!r}; --{option}-column takes one of {_listed(schema.names)}.")
    vectors = [field.name for field in schema if _is_vector(field.type)]
    texts = [field.name for field in schema if _is_text(field.type)]
    vector = None
    if with_vectors:
        vector = named.vector or _usual(vectors, _VECTORS) or (vectors[0] if len(vectors) == 1 else None)
        if vector not in vectors:
            problem = (
                "several columns could be" if len(vectors) > 1 else "no column holds lists of floats that could be"
            )
            raise SourceError(
                f"{table}: {problem} the vectors; name one with --vector-column ({_listed(vectors or schema.names)})."
            )
    path = named.path or _usual(texts, _PATHS)
    caption = named.caption or _usual(texts, _CAPTIONS)
    spent = {path, *vectors} | ({caption} if caption == "caption" else set())
    further = [field.name for field in schema if field.name not in spent and _is_metadata(field.type)]
    return Columns(vector, path, caption, tuple(further))


def vectors_in(column: pa.Array, dim: int) -> tuple[NDArray[np.floating], dict[int, str]]:
    """The vectors of a column of lists, [n, dim] of its own type, and what is wrong with rows that have none.

    Missing numbers, and all of a bad row, become NaN.
    """
    counts = pc.fill_null(pc.list_value_length(column), -1).to_numpy(zero_copy_only=False)
    good = counts == dim
    flat = column.filter(pa.array(good)).flatten().to_numpy(zero_copy_only=False)
    if good.all():
        return flat.reshape(-1, dim), {}
    vectors = np.full((len(column), dim), np.nan, flat.dtype)
    vectors[good] = flat.reshape(-1, dim)
    wrong = {
        int(row): "There is no vector." if counts[row] < 0 else f"The vector has {counts[row]} numbers, not {dim}."
        for row in np.flatnonzero(~good)
    }
    return vectors, wrong


def _usual(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """The first of the usual names that is among the names."""
    by_lower = {name.lower(): name for name in reversed(names)}
    return next((by_lower[name] for name in usual if name in by_lower), None)


def _is_vector(kind: pa.DataType) -> bool:
    listed = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(listed and types.is_floating(kind.value_type))


def _is_text(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_metadata(kind: pa.DataType) -> bool:
    """Whether a column is worth keeping beside a picture: not bytes, which are pictures, and not nothing."""
    binary = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    picture = types.is_struct(kind) and kind.get_field_index("bytes") >= 0
    return not (binary or picture or types.is_null(kind))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "it has none"
