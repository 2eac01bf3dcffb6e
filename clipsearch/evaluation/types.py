"""What an evaluation finds: frozen data, figures as shares 0..1 unless they say otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Part = Literal["retrieval", "classes", "neighbours", "robustness", "wordings", "probes"]
"""What can be measured."""

PARTS: tuple[Part, ...] = ("retrieval", "classes", "neighbours", "robustness", "wordings", "probes")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of the index: its id and its path there. Of a picture that is only in a folder, `id` is None and
    `path` that of its file."""

    id: int | None
    path: str


@dataclass(frozen=True, slots=True)
class Miss:
    """A query whose answer came late: `wanted` came at `rank`, `first` came before all others."""

    query: str | Shown
    wanted: str | Shown
    first: str | Shown
    rank: int


@dataclass(frozen=True, slots=True)
class Direction:
    """Retrieval one way.

    Attributes:
        queries: how many were asked.
        candidates: among how many the answers were looked for.
        measures: `clipsearch.evaluation.metrics.MEASURES` by name.
        worst: the latest answers, latest first.
    """

    queries: int
    candidates: int
    measures: Mapping[str, float]
    worst: tuple[Miss, ...]


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Texts asked for their pictures among all of the index, and pictures for their texts among all texts."""

    text_to_image: Direction
    image_to_text: Direction


@dataclass(frozen=True, slots=True)
class ClassAccuracy:
    """One class: its pictures, the share that was recognised, and what it was taken for most often (None where it
    never was taken for another)."""

    name: str
    pictures: int
    accuracy: float
    mistaken_for: str | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A picture taken for another class, by a lead of `margin` in cosine."""

    picture: Shown
    wanted: str
    predicted: str
    margin: float


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """Classes recognised by their names alone.

    Attributes:
        pictures: how many were looked at.
        unreadable: how many files could not be read as a picture, and count for nothing.
        top1, top5: accuracy; `top5` is None where there are no more than five classes.
        classes: each class, in the order of `confusion`.
        confusion: how often the class of the row was taken for that of the column.
        templates: top-1 accuracy with each prompt template alone.
        worst: the mistakes with the greatest margin.
    """

    pictures: int
    unreadable: int
    top1: float
    top5: float | None
    classes: tuple[ClassAccuracy, ...]
    confusion: tuple[tuple[int, ...], ...]
    templates: Mapping[str, float]
    worst: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The index's search against looking at every vector.

    `recall` is the share of the ten nearest it finds, by kind of query (`pictures`, `texts`); `milliseconds` a query,
    one by one; `exact` says whether the index looks at every vector anyway.
    """

    queries: Mapping[str, int]
    recall: Mapping[str, float]
    milliseconds: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Distorted:
    """Pictures spoilt in one way.

    Attributes:
        name, how: the distortion.
        pictures: how many were tried.
        cosine: mean similarity of the spoilt picture's vector to the stored one.
        cosine_low: the fifth percentile of that.
        found_itself: share of spoilt pictures that, searched by, bring up their own original first.
        text_recall: R@5 of the pictures' texts with the spoilt picture in its original's place; None without texts.
    """

    name: str
    how: str
    pictures: int
    cosine: float
    cosine_low: float
    found_itself: float
    text_recall: float | None


@dataclass(frozen=True, slots=True)
class Reworded:
    """Texts asked in another way.

    `cosine` is the mean similarity to the text as it was; `overlap` the share of the ten nearest pictures that stay;
    `recall` is R@5. `example` is one of the texts.
    """

    name: str
    texts: int
    cosine: float
    overlap: float
    recall: float
    example: str


@dataclass(frozen=True, slots=True)
class Confused:
    """A picture to which a wrong text is nearer than its own, by `margin` in cosine."""

    picture: Shown
    text: str
    foil: str
    margin: float


@dataclass(frozen=True, slots=True)
class Probe:
    """Texts against the same texts with a word or an order changed that changes what they say.

    Attributes:
        name, how: what was changed.
        pairs: how many texts it could be changed in.
        accuracy: share of pictures nearer to their own text; to guess is right in half of them.
        similarity: mean cosine of the two texts.
        worst: pictures that are nearest to the wrong text, compared with their own.
    """

    name: str
    how: str
    pairs: int
    accuracy: float
    similarity: float
    worst: tuple[Confused, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that was measured of an index. What was not measured is None or empty; `notes` say why."""

    index: str
    model: str
    pictures: int
    retrieval: Retrieval | None = None
    classes: ZeroShot | None = None
    neighbours: Neighbours | None = None
    robustness: tuple[Distorted, ...] = ()
    wordings: tuple[Reworded, ...] = ()
    probes: tuple[Probe, ...] = ()
    notes: tuple[str, ...] = ()
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class ModelMeasures:
    """One model on a sample of pictures.

    `text_to_image` and `image_to_text` are `MEASURES` among the sample; `images_per_second` is the image tower alone,
    pictures already decoded; `bytes_per_picture` is what an index stores of a vector, and `dim` its length.
    """

    model: str
    pictures: int
    texts: int
    text_to_image: Mapping[str, float]
    image_to_text: Mapping[str, float]
    images_per_second: float
    texts_per_second: float
    dim: int
    bytes_per_picture: int
