"""Terms into unit vectors, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipsearch.errors import PictureError, QueryError
from clipsearch.query.mixing import Vector, unit
from clipsearch.query.templates import prompts
from clipsearch.types import Encoder, Pixels, Vectors

if TYPE_CHECKING:
    from PIL.Image import Image

    from clipsearch.query.terms import Picture, Term

StoredVectorsOf = Callable[[Sequence[int]], NDArray[np.float16]]
"""Stored vectors of existing ids, in their order."""


def embed(
    terms: Sequence[Term],
    encoder: Callable[[], Encoder],
    stored: StoredVectorsOf,
    dim: int,
    *,
    templates: bool = True,
) -> Vectors:
    """The unit vector of each term, float32 [n, dim], weights apart; texts and pictures are encoded in batches.

    Args:
        terms: what is asked for.
        encoder: gives the model; not called where no term needs it.
        stored: gives the vectors of stored pictures.
        dim: the length of a vector.
        templates: whether bare concepts are asked for in several ways, see `prompts`.

    Raises:
        QueryError: a term cannot be used.
        ModelError: the model cannot be loaded.
    """
    vectors = np.empty((len(terms), dim), np.float32)
    places = {kind: [i for i, term in enumerate(terms) if term.kind == kind] for kind in _KINDS}
    if texts := places["text"]:
        vectors[texts] = text_vectors(encoder(), [terms[i].value for i in texts], templates=templates)
    if pictures := places["image"]:
        vectors[pictures] = image_vectors(encoder(), [terms[i].value for i in pictures])
    if ids := places["stored"]:
        for place, vector in zip(ids, stored([terms[i].value for i in ids]), strict=True):
            vectors[place] = unit(vector)
    for place in places["vector"]:
        vectors[place] = own_vector(terms[place].value, dim)
    return vectors


_KINDS = ("text", "image", "stored", "vector")


def text_vectors(encoder: Encoder, texts: Sequence[str], *, templates: bool = True) -> Vectors:
    """Unit vectors of texts, float32 [n, dim]: each the normalised mean over its prompts."""
    distinct = list(dict.fromkeys(texts))
    asked = [prompts(text, templates=templates) for text in distinct]
    flat = [prompt for group in asked for prompt in group]
    batch = max(encoder.batch_size, 1)
    encoded = np.concatenate([encoder.encode_texts(flat[i : i + batch]) for i in range(0, len(flat), batch)])
    ends = np.cumsum([len(group) for group in asked])
    groups = np.split(encoded, ends[:-1])
    by_text = {text: unit(group.mean(axis=0)) for text, group in zip(distinct, groups, strict=True)}
    return np.stack([by_text[text] for text in texts])


def image_vectors(encoder: Encoder, pictures: Sequence[Picture]) -> Vectors:
    """Unit vectors of pictures, float32 [n, dim]; as many are decoded at a time as the encoder takes.

    Raises:
        QueryError: one cannot be read as a picture.
    """
    batch = max(encoder.batch_size, 1)
    encoded = [
        encoder.encode_images(np.stack([_pixels(encoder, picture) for picture in pictures[i : i + batch]]))
        for i in range(0, len(pictures), batch)
    ]
    return np.stack([unit(vector) for vector in np.concatenate(encoded)])


def own_vector(vector: ArrayLike, dim: int) -> Vector:
    """A user's own vector as a unit vector, float32 [dim].

    Raises:
        QueryError: it is not `dim` numbers.
    """
    try:
        array = np.asarray(vector, dtype=np.float64)
    except (TypeError, ValueError):
        raise QueryError("The query vector is not a list of numbers.") from None
    if array.size != dim:
        raise QueryError(f"The query vector has {array.size} numbers where the index has {dim}.")
    return unit(array)


def pixels_of(encoder: Encoder, picture: Picture) -> Pixels:
    """A picture as the model reads it, [height, width, 3].

    Raises:
        PictureError: it cannot be read.
    """
    from clipsearch.pictures import fit

    wanted = encoder.preprocessing
    return fit(_upright(picture, (wanted.width, wanted.height)), wanted)


def _pixels(encoder: Encoder, picture: Picture) -> Pixels:
    try:
        return pixels_of(encoder, picture)
    except PictureError as error:
        shown = str(picture) if isinstance(picture, (str, Path)) else "The query picture"
        raise QueryError(f"{shown} cannot be used as a query: {error}") from None


def _upright(picture: Picture, draft: tuple[int, int]) -> Image:
    from PIL import Image as Pillow

    from clipsearch.pictures import read_picture, upright_rgb

    if isinstance(picture, Pillow.Image):
        return upright_rgb(picture)
    if isinstance(picture, np.ndarray):
        return upright_rgb(_from_array(picture))
    data = picture if isinstance(picture, bytes) else Path(picture).expanduser()
    return read_picture(data, draft=draft).image


def _from_array(array: NDArray[np.uint8]) -> Image:
    from PIL import Image as Pillow

    try:
        return Pillow.fromarray(array)
    except (TypeError, ValueError):
        raise PictureError(
            "not a picture", f"an array of {array.dtype} {list(array.shape)} is no picture; give uint8 [h, w, 3]."
        ) from None
