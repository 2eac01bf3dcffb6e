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
from clipsearch.types import Ids, StoredVectors

_BITS = 4
_CODE_SAMPLE = 65_536
"""Vectors the codes are trained on."""

_MOST_SAMPLED = 1 << 20
"""Vectors the centres are made from at most: two gigabytes of 512 dimensions."""


def sample_size(rows: int) -> int:
    """How many of `rows` vectors training wants to see."""
    return min(rows, lists_for(rows) * SAMPLE_PER_LIST, _MOST_SAMPLED)


def train(sample: StoredVectors, rows: int, recipe: Recipe) -> Any:
    """An empty FAISS index for about `rows` vectors, trained on a sample, float16 [m, dim].

    What is coded is how a vector differs from its list's centre. By inner product that needs one table of products a
    query for all lists.
    """
    dim = sample.shape[1]
    vectors = decoded(sample)
    coarse = quantizer(train_centroids(vectors, min(lists_for(rows), len(vectors))))
    index = faiss.IndexIVFPQFastScan(coarse, dim, coarse.ntotal, recipe.codes, _BITS, faiss.METRIC_INNER_PRODUCT)
    index.by_residual, index.own_fields = True, True
    coarse.this.disown()
    with quick_assignment(index):
        index.train(vectors[:_CODE_SAMPLE])
    return index


def write_trained(index: Any, added: Iterable[tuple[Ids, StoredVectors]], target: Path, lists: Path) -> None:
    """Add vectors to an empty trained index and write it: `target` gets what was trained, `lists` the codes."""
    _add(index, added)
    write_lists(lists, faiss.downcast_InvertedLists(index.invlists))
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
    write_lists(lists, faiss.downcast_InvertedLists(index.invlists), map_lists(base_lists))
    _write_empty(index, target)


def partly_filled(base: Path, lists: Path) -> Ids:
    """Ids whose codes `extend_trained` does not take over."""
    index = read_index(base)  # which owns what is looked at below
    block = faiss.downcast_InvertedLists(index.invlists).n_per_block
    return in_partial_blocks(map_lists(lists), block)


def _add(index: Any, added: Iterable[tuple[Ids, StoredVectors]]) -> None:
    with quick_assignment(index):
        for ids, vectors in added:
            if len(ids):
                index.add_with_ids(decoded(vectors), np.ascontiguousarray(ids))


def _write_empty(index: Any, target: Path) -> None:
    index.reset()
    faiss.write_index(index, str(target))
