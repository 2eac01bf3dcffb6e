"""What a user asks for, as one unit vector."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
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
    flat = np.asarray(vector, dtype=np.float32).reshape(1, -1)
    norm = float(np.linalg.norm(flat))
    if not np.isfinite(norm) or norm == 0:
        raise QueryError("The query vector has no direction: it is zero or not finite.")
    result: Vectors = flat / np.float32(norm)
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
    array = np.asarray(vector, dtype=np.float32)
    if array.size != dim:
        raise QueryError(f"The query vector has {array.size} numbers where the index has {dim}.")
    return unit(array)


def _pixels(encoder: Encoder, image: str | Path | bytes | Image | NDArray[np.uint8]) -> Pixels:
    from clipsearch.pictures import fit, read_picture

    wanted = encoder.preprocessing
    try:
        data = image if isinstance(image, bytes) else _bytes_of(image)
        return fit(read_picture(data, draft=(wanted.width, wanted.height)).image, wanted)
    except PictureError as error:
        shown = f"{image}" if isinstance(image, (str, Path)) else "The query picture"
        raise QueryError(f"{shown} cannot be used as a query: {error}") from None


def _bytes_of(image: str | Path | Image | NDArray[np.uint8]) -> bytes:
    """Encoded bytes, so that every picture takes the one decoding path (orientation, alpha, CMYK)."""
    if isinstance(image, (str, Path)):
        path = Path(image).expanduser()
        try:
            return path.read_bytes()
        except OSError as error:
            raise PictureError("unreadable", f"{error.strerror or error}.") from None
    from PIL import Image as Pillow

    picture = Pillow.fromarray(image) if isinstance(image, np.ndarray) else image
    buffer = BytesIO()
    try:
        exif = picture.getexif()
        lossless = picture if picture.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else picture.convert("RGB")
        lossless.save(buffer, "PNG", compress_level=0, exif=exif)
    except (OSError, ValueError) as error:
        raise PictureError("corrupt", f"{error}.") from None
    return buffer.getvalue()
