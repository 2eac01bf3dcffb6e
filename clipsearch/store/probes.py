"""Probes: vectors of a few hundred texts about all sorts of things, kept in the index directory.

They tell how texts score against pictures that do not show them (see `clipsearch.store.background`). Publishing has no
model, so the indexer embeds them once, when it has loaded it: they belong to the model, not to a version.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clipsearch.store.layout import Layout, replacing
from clipsearch.types import Vectors

PROBES = "probes.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """Vectors of the probe texts, float32 [n, dim] of norm 1. `digest` tells which texts, embedded by which model."""

    vectors: Vectors
    digest: str


def read_probes(index: Path, fingerprint: str) -> Probes | None:
    """The probes of an index whose model has this fingerprint; None where there are none, or none that can be read.

    They cannot be rebuilt without the model, so damage is no error: the next indexing run embeds them again.
    """
    try:
        with np.load(index / PROBES, allow_pickle=False) as file:
            if str(file["fingerprint"]) != fingerprint:
                return None
            return Probes(file["vectors"].astype(np.float32), str(file["digest"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def write_probes(layout: Layout, fingerprint: str, probes: Probes) -> None:
    """Store the probes, in float16, in place of any others."""
    with replacing(layout.path / PROBES, layout.tmp) as draft, draft.open("wb") as file:
        np.savez(file, vectors=probes.vectors.astype(np.float16), digest=probes.digest, fingerprint=fingerprint)
