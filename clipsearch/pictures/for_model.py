"""One decode for all that indexing wants of a picture: its facts, how it looks, and the pixels a model reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clipsearch.errors import PictureError
from clipsearch.pictures.damage import damage
from clipsearch.pictures.decode import read_picture
from clipsearch.pictures.fit import fit
from clipsearch.pictures.perceptual import Appearance, appearance
from clipsearch.pictures.small import small
from clipsearch.types import PictureFacts, Pixels, Preprocessing


@dataclass(frozen=True, slots=True)
class Target:
    """What pictures are decoded for: a model's `preprocessing`, no more than `max_pixels` pixels each, and whether
    small ones to show are made as well."""

    preprocessing: Preprocessing
    max_pixels: int
    thumbnails: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the pixels of one picture: height, width, 3."""
        return (self.preprocessing.height, self.preprocessing.width, 3)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture's `facts`, how it `looks`, its `pixels`, uint8 [height, width, 3] as the model reads them, and where
    it is wanted its `thumbnail`, a WebP. That is made of what was decoded for the model: of at least twice its size."""

    facts: PictureFacts
    looks: Appearance
    pixels: Pixels
    thumbnail: bytes | None = None


def decode_for(target: Target, data: bytes) -> Decoded:
    """Decode the bytes of a picture file. Raises `PictureError` and nothing else."""
    wanted = target.preprocessing
    try:
        picture = read_picture(data, max_pixels=target.max_pixels, draft=(wanted.width, wanted.height))
        pixels = np.ascontiguousarray(fit(picture.image, wanted))
        looks = appearance(picture.image)
        thumbnail = small(picture.image) if target.thumbnails else None  # last: it shrinks the image
        return Decoded(picture.facts, looks, pixels, thumbnail)
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError("too large", "The picture does not fit into memory.") from error
    except Exception as error:
        raise damage(error, data) from error
