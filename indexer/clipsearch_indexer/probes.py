"""Embeds the probe texts, once for an index."""

from __future__ import annotations

import hashlib

from clipsearch.models.probes import probe_texts
from clipsearch.query.embed import text_vectors
from clipsearch.query.templates import prompts
from clipsearch.store.layout import Layout
from clipsearch.store.probes import Probes, read_probes, write_probes
from clipsearch.types import Encoder


def store_probes(layout: Layout, encoder: Encoder) -> None:
    """Put the probes' vectors into the index directory, unless it has those of this model and these texts.

    They are embedded as queries are, prompt templates included, since it is queries they stand for.
    """
    texts = probe_texts()
    digest = _digest(encoder.fingerprint, texts)
    stored = read_probes(layout.path, encoder.fingerprint)
    if stored is None or stored.digest != digest:
        write_probes(layout, encoder.fingerprint, Probes(text_vectors(encoder, texts), digest))


def _digest(fingerprint: str, texts: tuple[str, ...]) -> str:
    asked = [fingerprint, *(prompt for text in texts for prompt in prompts(text))]
    return hashlib.blake2b("\n".join(asked).encode(), digest_size=16).hexdigest()
