"""A model's encoders by themselves: texts or picture files into an array of vectors, without an index."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import BinaryIO, TypeVar

import numpy as np

from clipsearch.errors import PictureError
from clipsearch.query.embed import pixels_of
from clipsearch.types import Encoder, Vectors

T = TypeVar("T")


def encode_texts(encoder: Encoder, texts: Iterable[str]) -> Iterator[Vectors]:
    """Vectors of texts as they are, without templates: float32 [n, dim] for each batch of n."""
    for batch in _batches(texts, encoder):
        yield encoder.encode_texts(batch)


def encode_pictures(encoder: Encoder, files: Iterable[str]) -> Iterator[Vectors]:
    """Vectors of picture files: float32 [n, dim] for each batch of n.

    Raises:
        PictureError: one cannot be read.
    """

    def read(file: str) -> np.ndarray:
        try:
            return pixels_of(encoder, file)
        except PictureError as error:
            raise PictureError(error.reason, f"{file} cannot be embedded: {error}") from None

    with ThreadPoolExecutor() as pool:
        for batch in _batches(files, encoder):
            yield encoder.encode_images(np.stack(list(pool.map(read, batch))))


def write_npy(target: BinaryIO, parts: Iterable[Vectors], dim: int) -> int:
    """Write vectors that come in parts, [n, dim] each, as one `.npy` array; returns how many there are.

    An `.npy` file says how many rows it has before the first, so all wait in a temporary file: `target` may be a pipe,
    and gets nothing where a part fails.
    """
    rows = 0
    with tempfile.TemporaryFile() as spool:
        for part in parts:
            spool.write(np.ascontiguousarray(part, "<f4").tobytes())
            rows += len(part)
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, dim)}
        np.lib.format.write_array_header_1_0(target, header)
        spool.seek(0)
        shutil.copyfileobj(spool, target)
    return rows


def _batches(items: Iterable[T], encoder: Encoder) -> Iterator[list[T]]:
    waiting = iter(items)
    while batch := list(islice(waiting, max(encoder.batch_size, 1))):
        yield batch
