"""The vocabulary of clipsearch: plain frozen data that every room speaks, and the one Protocol between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32 [n, dim], every row of L2 norm 1."""

Pixels = NDArray[np.uint8]
"""uint8 [n, height, width, 3] or [height, width, 3], RGB, upright, already at the size a model reads."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an upright RGB picture becomes what a model reads, as open_clip defines it.

    `width` and `height` in pixels; `mean` and `std` per channel on a 0..1 scale; `fill` is the grey level (0..255)
    of the border that `longest` leaves.
    """

    width: int
    height: int
    resize_mode: Literal["shortest", "longest", "squash"] = "shortest"
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    fill: int = 0


class Encoder(Protocol):
    """A pair of towers that put pictures and sentences into one space."""

    @property
    def name(self) -> str:
        """The model's name as a user would type it, e.g. `mini` or `ViT-B-32/laion2b_s34b_b79k`."""

    @property
    def fingerprint(self) -> str:
        """Digest of weights, preprocessing and tokenizer; equal fingerprints mean comparable vectors."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def batch_size(self) -> int:
        """Pictures at a time that suit the encoder and its device."""

    @property
    def preprocessing(self) -> Preprocessing:
        """What `encode_images` expects its pixels to have gone through, short of normalisation."""

    def encode_images(self, pixels: Pixels) -> Vectors:
        """Embed uint8 pixels [n, height, width, 3]; returns float32 [n, dim] of norm 1."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed sentences; returns float32 [n, dim] of norm 1."""


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What a picture file says of itself. `width` and `height` are those of the upright picture, in pixels;
    `taken_at` is the camera's local time; `latitude` and `longitude` are WGS 84 degrees."""

    format: str
    width: int
    height: int
    taken_at: datetime | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer to a query.

    `score` is the cosine similarity of query and picture, -1..1. `path` is where the picture is found: an absolute
    file path, or `<parquet file>#<row group>/<row>` for a picture inside Parquet. `metadata` holds every column of
    the index's `images` view.
    """

    id: int
    score: float
    path: str
    metadata: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an indexing run did. Counts are pictures unless they say otherwise; `seconds` is wall time."""

    index: Path
    model: str
    seen: int
    embedded: int
    reused: int
    unchanged: int
    removed: int
    failed: int
    recovered: int
    total: int
    version: int
    seconds: float
    interrupted: bool = False
    offline_roots: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
