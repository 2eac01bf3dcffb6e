"""Several models on a sample of one's own pictures: quality, speed, size."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from clipsearch.errors import PictureError, QueryError
from clipsearch.evaluation.collection import Collection, collection_of, drawn
from clipsearch.evaluation.judgments import Truth, judgments_of
from clipsearch.evaluation.ranks import Judged, judged, measures_among
from clipsearch.evaluation.types import ModelMeasures
from clipsearch.models import load_encoder
from clipsearch.pictures import fit, read_picture
from clipsearch.query.embed import text_vectors
from clipsearch.query.index import Index
from clipsearch.store.derive import quietly
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Encoder, Ids, Pixels, Tell, Vectors

_BYTES_OF_FLOAT16 = 2


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Pictures with their texts: encoded bytes of each picture; the texts; which pictures (by row) answer which."""

    contents: tuple[bytes, ...]
    texts: tuple[str, ...]
    pairs: Judged


def compare_models(
    index: Index,
    models: Sequence[str],
    truth: Truth | None = None,
    *,
    device: str = "auto",
    engine: str = "auto",
    offline: bool = False,
    tell: Tell = quietly,
) -> Iterator[ModelMeasures]:
    """Each model in turn on pictures of the index that have texts, which it embeds anew.

    Retrieval is among the sample, so figures are higher than those of a large index, and comparable between models.

    Args:
        index: an open index; its own model needs not be among those compared.
        models: names of models, as `clipsearch index --model` takes them.
        truth: where the texts come from, and how many pictures are drawn.
        device, engine, offline: as for `clipsearch.open`.
        tell: hears of the work.

    Raises:
        QueryError: no picture has a text, or none can be read now.
        ModelError: a model cannot be loaded.
    """
    sample = _sample(index, truth or Truth())
    for name in models:
        tell(f"loading {name}", 0, 0)
        yield measure(load_encoder(name, device=device, engine=engine, offline=offline), sample, tell)


def _sample(index: Index, truth: Truth) -> Sample:
    snapshot = Snapshot(index.path, index.space)
    try:
        collection = collection_of(index, snapshot)
        judgments = judgments_of(collection, truth)
        if judgments is None:
            raise QueryError(
                f"To compare models, pictures need texts, and none has one in column {truth.captions!r}; name another "
                f"with --captions, or a file with --judgments."
            )
        contents = _readable(collection, drawn(np.unique(judgments.pairs.documents), truth.sample))
    finally:
        snapshot.close()
    if not contents:
        raise QueryError(f"No picture with a text can be read; are the folders of {index.path} there?")
    kept = np.isin(judgments.pairs.documents, list(contents))
    queries, rows = np.unique(judgments.pairs.queries[kept], return_inverse=True)
    documents = np.searchsorted(list(contents), judgments.pairs.documents[kept])
    texts = tuple(judgments.texts[query] for query in queries)
    return Sample(tuple(contents.values()), texts, judged(rows, documents, judgments.pairs.grades[kept]))


def _readable(collection: Collection, ids: Ids) -> dict[int, bytes]:
    found = {}
    for picture, content in collection.contents(ids):
        with suppress(PictureError):  # replaced by something else since it was indexed
            read_picture(content)
            found[picture] = content
    return found


def measure(encoder: Encoder, sample: Sample, tell: Tell = quietly) -> ModelMeasures:
    """One model on a sample; see `ModelMeasures`. The first batch is embedded twice, and timed once."""
    images, image_seconds = _embedded_pictures(encoder, sample.contents, tell)
    text_vectors(encoder, sample.texts[:1])
    start = time.perf_counter()
    texts = text_vectors(encoder, sample.texts)
    text_seconds = time.perf_counter() - start
    return ModelMeasures(
        model=encoder.name,
        pictures=len(images),
        texts=len(texts),
        text_to_image=measures_among(texts, sample.pairs, images),
        image_to_text=measures_among(images, sample.pairs.swapped()[1], texts),
        images_per_second=len(images) / image_seconds,
        texts_per_second=len(texts) / text_seconds,
        dim=encoder.dim,
        bytes_per_picture=encoder.dim * _BYTES_OF_FLOAT16,
    )


def _embedded_pictures(encoder: Encoder, contents: Sequence[bytes], tell: Tell) -> tuple[Vectors, float]:
    """Vectors of pictures [n, dim], and the seconds of embedding alone."""
    parts, seconds = [], 0.0
    for start in range(0, len(contents), encoder.batch_size):
        tell(encoder.name, start, len(contents))
        pixels = np.stack([_pixels(encoder, content) for content in contents[start : start + encoder.batch_size]])
        if start == 0:
            encoder.encode_images(pixels)  # takes longer: memory is asked for, kernels are chosen
        begun = time.perf_counter()
        parts.append(encoder.encode_images(pixels))
        seconds += time.perf_counter() - begun
    return np.concatenate(parts), seconds


def _pixels(encoder: Encoder, content: bytes) -> Pixels:
    wanted = encoder.preprocessing
    return fit(read_picture(content, draft=(wanted.width, wanted.height)).image, wanted)
