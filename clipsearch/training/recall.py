"""How well a model finds pictures by their captions and captions by their picture, among pairs kept aside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clipsearch.evaluation.metrics import DEPTHS
from clipsearch.evaluation.ranks import judged, measures_among
from clipsearch.types import Vectors


def recall(images: Vectors, texts: Vectors, owner: NDArray[np.int64]) -> dict[str, float]:
    """R@1, 5 and 10 in both directions, 0..1: `text_to_image_r1` ... `image_to_text_r10`.

    The share of captions whose picture is among the 1, 5, 10 nearest, and of pictures that have one of their captions
    there; what is exactly as near counts as nearer. As `clipsearch eval` measures it.

    Args:
        images: float32 [n, dim] of norm 1.
        texts: float32 [m, dim] of norm 1.
        owner: int64 [m], the row of each text's picture; every picture has a text.
    """
    pairs = judged(np.arange(len(texts)), owner, np.ones(len(texts), np.float32))
    measured = {
        "text_to_image": measures_among(texts, pairs, images),
        "image_to_text": measures_among(images, pairs.swapped()[1], texts),
    }
    return {f"{way}_r{k}": float(found[f"R@{k}"]) for way, found in measured.items() for k in DEPTHS}
