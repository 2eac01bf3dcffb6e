"""How well a model finds pictures by their captions and captions by their picture, among pairs kept aside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipsearch.types import Vectors

_DEPTHS = (1, 5, 10)
_ROWS = 1024


def recall(images: Vectors, texts: Vectors, owner: NDArray[np.int64]) -> dict[str, float]:
    """R@1, 5 and 10 in both directions, 0..1: `text_to_image_r1` ... `image_to_text_r10`.

    The share of captions whose picture is among the 1, 5, 10 nearest, and of pictures that have one of their captions
    there. What is exactly as near counts as nearer.

    Args:
        images: float32 [n, dim] of norm 1.
        texts: float32 [m, dim] of norm 1.
        owner: int64 [m], the row of each text's picture.
    """
    by_text = [_ranks_of_pictures(texts[rows] @ images.T, owner[rows]) for rows in _blocks(len(texts))]
    by_image = [_ranks_of_texts(images[rows] @ texts.T, owner, rows.start) for rows in _blocks(len(images))]
    both = {"text_to_image": np.concatenate(by_text), "image_to_text": np.concatenate(by_image)}
    return {f"{way}_r{k}": float((ranks <= k).mean()) for way, ranks in both.items() for k in _DEPTHS}


def _blocks(rows: int) -> list[slice]:
    return [slice(start, min(start + _ROWS, rows)) for start in range(0, rows, _ROWS)]


def _ranks_of_pictures(scores: Vectors, own: NDArray[np.int64]) -> NDArray[np.int64]:
    ranks: NDArray[np.int64] = (scores >= scores[np.arange(len(scores)), own][:, None]).sum(axis=1)
    return ranks


def _ranks_of_texts(scores: Vectors, owner: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    own = owner == np.arange(first, first + len(scores))[:, None]
    best = np.where(own, scores, -np.inf).max(axis=1, keepdims=True)
    ranks: NDArray[np.int64] = ((scores >= best) & ~own).sum(axis=1) + 1
    return ranks
