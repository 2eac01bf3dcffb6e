"""The model as it would be written, measured on the pairs kept aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from clipsearch.errors import PictureError
from clipsearch.training.batches import Reader, normalised
from clipsearch.training.image_tower import encode_image_any_size
from clipsearch.training.learner import Learner
from clipsearch.training.pairs import Pair
from clipsearch.training.recall import recall
from clipsearch.training.text_tower import encode_text
from clipsearch.types import Pixels, Preprocessing, Vectors

_AT_ONCE = 64
_Item = TypeVar("_Item")


def validate(
    learner: Learner,
    pairs: Sequence[Pair],
    tokenize: Callable[[Sequence[str]], Tensor],
    preprocessing: Preprocessing,
    threads: ThreadPoolExecutor,
) -> dict[str, float]:
    """`clipsearch.training.recall.recall` of the weights as they would be written, computed in float32.

    Pictures that cannot be read are left out; {} comes back where none can.
    """
    with torch.inference_mode(), _as_written(learner) as network:
        read, images = _pictures(network, pairs, preprocessing, threads)
        if not read:
            return {}
        captions = [caption for pair in read for caption in pair.captions]
        owner = np.repeat(np.arange(len(read)), [len(pair.captions) for pair in read])
        device = network.logit_scale.device
        texts = [_unit(encode_text(network, tokenize(part).to(device))) for part in _parts(captions)]
    return recall(images, np.concatenate(texts), owner)


def _pictures(
    network: Any, pairs: Sequence[Pair], preprocessing: Preprocessing, threads: ThreadPoolExecutor
) -> tuple[list[Pair], Vectors]:
    """Those pairs whose pictures can be read, with the pictures' vectors."""
    reader = Reader(preprocessing, "none")

    def pixels_of(pair: Pair) -> Pixels | None:
        try:
            return reader(pair, "", Random())
        except PictureError:
            return None

    kept: list[Pair] = []
    vectors = [np.empty((0, 0), np.float32)]
    for part in _parts(pairs):
        read = [(p, pixels) for p, pixels in zip(part, threads.map(pixels_of, part), strict=True) if pixels is not None]
        if read:
            kept += [pair for pair, _ in read]
            batch = normalised(np.stack([pixels for _, pixels in read]), preprocessing)
            vectors.append(_unit(encode_image_any_size(network, batch.to(network.logit_scale.device))))
    return kept, np.concatenate(vectors[1:] or vectors)


@contextmanager
def _as_written(learner: Learner) -> Iterator[Any]:
    """The network in evaluation mode, with the average's weights where there is one; as it was afterwards."""
    network = learner.network.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()} if learner.average else None
    network.load_state_dict(learner.weights())
    try:
        yield network
    finally:
        if before is not None:
            network.load_state_dict(before)


def _unit(features: Tensor) -> Vectors:
    vectors: Vectors = normalize(features.float(), dim=-1).cpu().numpy()
    return vectors


def _parts(items: Sequence[_Item]) -> list[Sequence[_Item]]:
    return [items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE)]
