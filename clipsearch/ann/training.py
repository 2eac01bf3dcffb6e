"""Making a trained index: centres, codes, lists."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from clipsearch.ann.centroids import SAMPLE_PER_LIST, quantizer, quick_assignment, train_centroids
from clipsearch.ann.exact import decoded
from clipsearch.ann.files import read_index
from clipsearch.ann.lists import in_partial_blocks, map_lists, write_lists
from clipsearch.ann.recipes import Recipe, lists_for
from clipsearch.types import Ids, StoredVectors, Vectors

_ROTATION_SEED = 1
_CODE_SAMPLE = 65_536
"""Vectors the codes are trained on."""


def sample_size(rows: int) -> int:
    """How many of `rows` vectors training wants to see."""
    return min(rows, lists_for(rows) * SAMPLE_PER_LIST)


def train(sample: StoredVectors, rows: int, recipe: Recipe) -> Any:
    """An empty FAISS index for about `rows` vectors, trained on a sample, float16 [m, dim].

    The vectors are rotated at random first, which spreads their information evenly over the dimensions; RaBitQ's
    bounds rest on that (Gao and Long 2024, section 3.1).
    """
    dim = sample.shape[1]
    rotation = faiss.RandomRotationMatrix(dim, dim)
    rotation.init(_ROTATION_SEED)
    rotated: Vectors = rotation.apply(decoded(sample))
    centroids = train_centroids(rotated, min(lists_for(rows), len(rotated)))
    count = len(centroids)
    index = faiss.index_factory(dim, f"IVF{count},{recipe.codes}", faiss.METRIC_INNER_PRODUCT)
    coarse = quantizer(centroids)
    index.quantizer, index.own_fields = coarse, True
    coarse.this.disown()
    with quick_assignment(index):
        index.train(rotated[:_CODE_SAMPLE])
    whole = faiss.IndexPreTransform(rotation, index)
    rotation.this.disown()
    index.this.disown()
    whole.own_fields = True
    return whole


def write_trained(index: Any, added: Iterable[tuple[Ids, StoredVectors]], target: Path, lists: Path) -> None:
    """Add vectors to an empty trained index and write it: `target` gets what was trained, `lists` the codes."""
    _add(index, added)
    inverted_file = _inverted_file(index)
    write_lists(lists, faiss.downcast_InvertedLists(inverted_file.invlists))
    _write_empty(index, target)


def extend_trained(
    base: Path, base_lists: Path, added: Iterable[tuple[Ids, StoredVectors]], target: Path, lists: Path
) -> None:
    """Write `base` with further vectors, trained as before.

    `added` has the ids of `partly_filled(base_lists)` that are still wanted, too: whole blocks of codes are copied,
    the rest of each list is encoded again.
    """
    index = read_index(base)
    _add(index, added)
    inverted_file = _inverted_file(index)
    write_lists(lists, faiss.downcast_InvertedLists(inverted_file.invlists), map_lists(base_lists))
    _write_empty(index, target)


def partly_filled(base: Path, lists: Path) -> Ids:
    """Ids whose codes `extend_trained` does not take over."""
    index = read_index(base)  # which owns what is looked at below
    block = faiss.downcast_InvertedLists(_inverted_file(index).invlists).n_per_block
    return in_partial_blocks(map_lists(lists), block)


def _inverted_file(index: Any) -> Any:
    return faiss.downcast_index(faiss.extract_index_ivf(index))


def _add(index: Any, added: Iterable[tuple[Ids, StoredVectors]]) -> None:
    with quick_assignment(_inverted_file(index)):
        for ids, vectors in added:
            if len(ids):
                index.add_with_ids(decoded(vectors), np.ascontiguousarray(ids))


def _write_empty(index: Any, target: Path) -> None:
    _inverted_file(index).reset()
    index.ntotal = 0
    faiss.write_index(index, str(target))
