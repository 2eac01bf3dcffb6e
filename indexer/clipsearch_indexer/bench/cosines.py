"""How true an index's vectors are: cosines to the same model run by torch in single precision on whole pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import clipsearch
from clipsearch.models import load_encoder
from clipsearch.pictures import fit, read_picture
from clipsearch.pictures.resize import resize_by_pillow
from clipsearch.types import Vectors

_AT_MOST = 64
"""Pictures to compare: torch embeds few a second on a processor."""


class Reference:
    """What torch makes of pictures in float32 on a processor: decoded at full size, resized, one by one the same way
    as `open_clip.image_transform` does."""

    def __init__(self, model: str, *, offline: bool) -> None:
        self._encoder = load_encoder(model, device="cpu", engine="torch", offline=offline)
        self._known: dict[str, Vectors] = {}

    def cosines(self, index: Path) -> list[float]:
        """Cosines of the reference to the stored vectors of up to 64 pictures, spread over the index."""
        with clipsearch.open(index) as opened:
            rows = opened.sql("select id, content_hash from images order by id").to_pylist()
            chosen = rows[:: -(-len(rows) // _AT_MOST)]
            stored = opened.vectors([row["id"] for row in chosen]).astype(np.float32)
            wanted = [self._vector(row["content_hash"], opened, row["id"]) for row in chosen]
        return [float(np.dot(a, b) / np.linalg.norm(b)) for a, b in zip(wanted, stored, strict=True)]

    def _vector(self, content_hash: str, opened: clipsearch.Index, picture: int) -> Vectors:
        """float32 [dim]; pictures are the same with every engine, so each goes through torch once."""
        if content_hash not in self._known:
            image = read_picture(opened.picture(picture)).image
            pixels = fit(image, self._encoder.preprocessing, resize_by_pillow)
            self._known[content_hash] = self._encoder.encode_images(pixels[None])[0]
        return self._known[content_hash]
