"""Embeds the probe texts, once for a model: to put a thousand sentences through a large one takes minutes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import numpy as np

from clipsearch.models import cache
from clipsearch.models.probes import probe_texts
from clipsearch.query.embed import text_vectors
from clipsearch.query.templates import prompts
from clipsearch.store.layout import Layout
from clipsearch.store.probes import Probes, read_probes, write_probes
from clipsearch.types import Encoder, Vectors

_AT_A_TIME = 16


def store_probes(layout: Layout, encoder: Encoder, tell: Callable[[int, int], None]) -> None:
    """Put the probes' vectors into the index directory, unless it has those of this model and these texts.

    They are embedded as queries are, prompt templates included, since it is queries they stand for; and remembered for
    the next index. `tell` hears how many texts are done, and of how many.
    """
    texts = probe_texts()
    digest = _digest(encoder.fingerprint, texts)
    stored = read_probes(layout.path, encoder.fingerprint)
    if stored is not None and stored.digest == digest:
        return
    vectors = _remembered(digest, (len(texts), encoder.dim))
    if vectors is None:
        parts = []
        for start in range(0, len(texts), _AT_A_TIME):
            tell(start, len(texts))
            parts.append(text_vectors(encoder, texts[start : start + _AT_A_TIME]))
        vectors = np.concatenate(parts)
        cache.write(_name(digest), base64.b64encode(vectors.astype(np.float16).tobytes()).decode())
    write_probes(layout, encoder.fingerprint, Probes(vectors, digest))


def _remembered(digest: str, shape: tuple[int, int]) -> Vectors | None:
    """What was embedded for another index, float32 of this shape; None where there is nothing, or nothing sound."""
    kept = cache.read(_name(digest))
    try:
        vectors: Vectors = np.frombuffer(base64.b64decode(kept or ""), np.float16).reshape(shape).astype(np.float32)
    except (TypeError, ValueError):
        return None
    return vectors


def _name(digest: str) -> str:
    return f"probes-{digest}"


def _digest(fingerprint: str, texts: tuple[str, ...]) -> str:
    asked = [fingerprint, *(prompt for text in texts for prompt in prompts(text))]
    return hashlib.blake2b("\n".join(asked).encode(), digest_size=16).hexdigest()
