"""The vocabulary of clipsearch: plain frozen data that every room speaks, and the one Protocol between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32 [n, dim], every row of L2 norm 1."""

StoredVectors = NDArray[np.float16]
"""float16 [n, dim], every row of L2 norm 1 to float16's precision."""

Ids = NDArray[np.int64]
"""int64 [n], ids of pictures."""

Tell = Callable[[str, int, int], None]
"""Hears of long work: what is being done, and how much of how much is."""

Pixels = NDArray[np.uint8]
"""uint8 [n, height, width, 3] or [height, width, 3], RGB, upright, already at the size a model reads."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an upright RGB picture becomes what a model reads, as open_clip defines it.

    `width` and `height` in pixels; `mean` and `std` per channel on a 0..1 scale; `fill` is the grey level (0..255)
    of the border that `longest` leaves. `shortest_hf` is `shortest` as the transformers library does it: where an odd
    number of pixels is cut off, it cuts one less at the left or the top, where open_clip rounds to even.
    """

    width: int
    height: int
    resize_mode: Literal["shortest", "shortest_hf", "longest", "squash"] = "shortest"
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

    @property
    def logit_scale(self) -> float:
        """What a cosine similarity is multiplied by to become a logit: the inverse of the learned temperature.

        Above 0, near 100 for most models. Radford et al. 2021, "Learning Transferable Visual Models From Natural
        Language Supervision", figure 3, where it is exp(t): softmax(logit_scale * similarities) over several texts is
        the probability of each.
        """

    @property
    def logit_bias(self) -> float | None:
        """What is then added to the logit; None for models trained with a softmax, which have none.

        A number, near -10, says that the model was trained with SigLIP's sigmoid loss (Zhai et al. 2023, "Sigmoid Loss
        for Language Image Pre-Training", algorithm 1): sigmoid(logit_scale * similarity + logit_bias) is the
        probability that one text fits one picture, whatever the others.
        """

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

    `score` is the cosine similarity of query and picture, -1..1; where several embedding spaces answer, how many
    standard deviations it stands out in each, weighted and added (`clipsearch.query.fusion`). `path` is where the
    picture is found: an absolute file path, or `<parquet file>#<row group>/<row>` for a picture inside Parquet.
    `metadata` holds every column of the index's `images` view. `relevance`, 0..1, says how far the score stands out of
    the index's own; None where the index cannot say.
    """

    id: int
    score: float
    path: str
    metadata: Mapping[str, Any] = field(repr=False)
    relevance: float | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """One picture of a group of duplicates.

    `path` is where it is found, as in `Hit`; `width` and `height` are those of the upright picture in pixels, `bytes`
    is the length of its encoded content. `similarity` is the cosine to the picture to keep, 1 for that one itself.
    """

    id: int
    path: str
    width: int
    height: int
    bytes: int
    similarity: float


Because = Literal["pixels", "sharpness", "age", "order"]
"""Why a copy is the one to keep: it has the most pixels; of those that have, is the sharpest; of those, has the oldest
file; or none of it tells, and it was indexed first."""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Pictures that are the same as the one to `keep`; `also` has at least one, the most similar first. `because` is
    what it took to tell the one to keep from all others."""

    keep: Copy
    also: tuple[Copy, ...]
    because: Because

    @property
    def spare_bytes(self) -> int:
        """How many bytes all but the one to keep have."""
        return sum(copy.bytes for copy in self.also)


@dataclass(frozen=True, slots=True)
class TrainedInfo:
    """A trained search index, as measured when it was made.

    Of the ten nearest it finds the shares `recall_pictures` and `recall_texts` (0..1) for queries by picture and by
    text, in `milliseconds` a query, looking at `probes` of `lists` lists; a vector takes `bytes_per_vector` bytes of
    memory.
    """

    recipe: str
    lists: int
    probes: int
    candidates: int
    recall_pictures: float
    recall_texts: float
    milliseconds: float
    bytes_per_vector: float


@dataclass(frozen=True, slots=True)
class SpaceReport:
    """What bringing a further embedding space level with the main one did.

    Attributes:
        name: what the space is called.
        of: what is embedded in it.
        model: the name of its model.
        embedded: pictures (or captions) that went through the model.
        reused: pictures whose row was written with a vector that was there.
        removed: pictures that left it.
        changed: pictures left out because their file is not what was indexed; the next run sees to them.
        unreadable: pictures left out because they cannot be read any more, and `reasons` for the first few.
        offline: pictures left out because the folder they are in is not there.
        unseen: vectors that were imported without a picture, of which there is nothing to embed.
        total: pictures that are in it now.
        seconds: wall time.
        interrupted: whether it ended early.
    """

    name: str
    of: Literal["pictures", "captions"]
    model: str
    embedded: int
    reused: int
    removed: int
    changed: int
    unreadable: int
    reasons: tuple[str, ...]
    offline: int
    unseen: int
    total: int
    seconds: float
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class RunTiming:
    """Where the time of an indexing run went, from its first picture to its last; all shares are 0..1.

    Attributes:
        seconds: wall time of all this.
        images_per_second: pictures looked at, those that failed included.
        workers: processes that read and decoded.
        read: share of the time of the workers which they spent reading files.
        decode: the same for decoding.
        wait: share of the wall time in which the model waited for decoded pictures.
        encode: share of the wall time in which the model was at work.
        write: share of the wall time in which the model waited for batches to be written and published; what is
            published while it is at work costs nothing.
        bottleneck: what held up the run, and what to change, in a sentence.
    """

    seconds: float
    images_per_second: float
    workers: int
    read: float
    decode: float
    wait: float
    encode: float
    write: float
    bottleneck: str


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an indexing run did. Counts are pictures unless they say otherwise; `seconds` is wall time; `trained` is the
    search index where this run trained or extended one; `spaces` has what became of each further space; `timing` says
    where the time went, and is None where nothing was new."""

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
    trained: TrainedInfo | None = None
    spaces: tuple[SpaceReport, ...] = ()
    timing: RunTiming | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. Counts are rows of its sources: `imported` of those `seen`, of which `absent` have no picture
    that can be read; `known` were in the index before, `repeated` name a picture that an earlier row names, `failed`
    have no vector that can be used. `total` are the pictures of the index; `seconds` is wall time."""

    index: Path
    model: str
    seen: int
    imported: int
    absent: int
    known: int
    repeated: int
    failed: int
    recovered: int
    total: int
    version: int
    seconds: float
    interrupted: bool = False
