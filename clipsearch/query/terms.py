"""What a user asks for, as one unit vector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipsearch.errors import PictureError, QueryError
from clipsearch.types import Encoder, Pixels, Vectors

if TYPE_CHECKING:
    from PIL.Image import Image


def unit(vector: NDArray[np.floating]) -> Vectors:
    """One vector as float32 [1, dim] of norm 1.

    Raises:
        QueryError: it is zero or not finite.
    """
    flat = np.asarray(vector, dtype=np.float64).reshape(1, -1)
    largest = float(np.abs(flat).max(initial=0))
    if not np.isfinite(largest) or largest == 0:
        raise QueryError("The query vector has no direction: it is zero or not finite.")
    flat = flat / largest  # so that the square of no length overflows or vanishes
    result: Vectors = (flat / np.linalg.norm(flat)).astype(np.float32)
    return result


def mix(terms: Sequence[Vectors]) -> Vectors:
    """The normalised sum of unit vectors, float32 [1, dim]: each term counts alike."""
    return unit(np.sum(np.concatenate(terms), axis=0))


def text_term(encoder: Encoder, text: str) -> Vectors:
    """A sentence as a unit vector.

    Raises:
        QueryError: the text is empty.
    """
    if not text.strip():
        raise QueryError("The query text is empty; say what the picture should show.")
    return unit(encoder.encode_texts([text])[0])


def image_term(encoder: Encoder, image: str | Path | bytes | Image | NDArray[np.uint8]) -> Vectors:
    """A picture (file, encoded bytes, PIL image or uint8 array [h, w, 3]) as a unit vector.

    Raises:
        QueryError: it cannot be read as a picture.
    """
    return unit(encoder.encode_images(_pixels(encoder, image)[None])[0])


def vector_term(vector: ArrayLike, dim: int) -> Vectors:
    """A user's own vector as a unit vector.

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


def _pixels(encoder: Encoder, image: str | Path | bytes | Image | NDArray[np.uint8]) -> Pixels:
    """A picture as the model reads it, [height, width, 3]."""
    from clipsearch.pictures import fit

    wanted = encoder.preprocessing
    try:
        return fit(_upright(image, (wanted.width, wanted.height)), wanted)
    except PictureError as error:
        shown = str(image) if isinstance(image, (str, Path)) else "The query picture"
        raise QueryError(f"{shown} cannot be used as a query: {error}") from None


def _upright(image: str | Path | bytes | Image | NDArray[np.uint8], draft: tuple[int, int]) -> Image:
    from PIL import Image as Pillow

    from clipsearch.pictures import read_picture, upright_rgb

    if isinstance(image, Pillow.Image):
        return upright_rgb(image)
    if isinstance(image, np.ndarray):
        return upright_rgb(_from_array(image))
    data = image if isinstance(image, bytes) else Path(image).expanduser()
    return read_picture(data, draft=draft).image


def _from_array(array: NDArray[np.uint8]) -> Image:
    from PIL import Image as Pillow

    try:
        return Pillow.fromarray(array)
    except (TypeError, ValueError):
        raise PictureError(
            "not a picture", f"an array of {array.dtype} {list(array.shape)} is no picture; give uint8 [h, w, 3]."
        ) from None
