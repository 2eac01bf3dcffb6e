"""The vectors of a vocabulary's words, kept in the user's cache folder: thousands of words take a model minutes."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from pyarrow import feather

from clipsearch.labels.prompts import embedded
from clipsearch.models import cache
from clipsearch.query.mixing import Vector
from clipsearch.types import Encoder, Tell, Vectors


def word_vectors(encoder: Encoder, words: Sequence[str], templates: Sequence[str], tell: Tell) -> Vectors:
    """The vectors that `label_vectors` gives, float32 [words, dim]; a word is embedded once for each model and set of
    templates, also where embedding the others is interrupted."""
    file = _file(encoder, templates)
    known = _read(file, encoder.dim)
    new = [word for word in dict.fromkeys(words) if word not in known]
    try:
        for done, (word, vector) in enumerate(zip(new, embedded(encoder, new, templates), strict=True)):
            tell("embedding words", done, len(new))
            known[word] = vector
    finally:
        if new:
            cache.write_bytes(file, _packed(known, encoder.dim))
    return np.stack([known[word] for word in words])


def _file(encoder: Encoder, templates: Sequence[str]) -> str:
    made_by = json.dumps([encoder.fingerprint, *templates]).encode()
    return f"words-{hashlib.blake2b(made_by, digest_size=16).hexdigest()}.arrow"


def _read(file: str, dim: int) -> dict[str, Vector]:
    data = cache.read_bytes(file)
    try:
        table = feather.read_table(io.BytesIO(data or b""))
        vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, dim)
        return dict(zip(table["word"].to_pylist(), vectors, strict=True))
    except (pa.ArrowException, KeyError, ValueError):  # absent, or damaged
        return {}


def _packed(vectors: Mapping[str, Vector], dim: int) -> bytes:
    stacked = np.array(list(vectors.values()), np.float32).reshape(-1)
    table = pa.table({"word": list(vectors), "vector": pa.FixedSizeListArray.from_arrays(pa.array(stacked), dim)})
    buffer = io.BytesIO()
    feather.write_feather(table, buffer, compression="uncompressed")
    return buffer.getvalue()
