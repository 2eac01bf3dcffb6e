"""Prepared pictures to vectors: what is known is looked up, what is new goes through the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clipsearch.errors import ModelError, PictureError
from clipsearch.types import Encoder, Pixels, Vectors
from clipsearch_indexer.candidates import Chunk
from clipsearch_indexer.known import KnownContents, KnownPicture
from clipsearch_indexer.prepare import Prepared, Preparer


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """A chunk whose pictures were looked at: `pictures` has what is known of each good one by its content hash, of
    which `embedded` went through the model."""

    chunk: Chunk
    prepared: Sequence[Prepared]
    pictures: Mapping[str, KnownPicture]
    embedded: int


class BatchEncoder:
    """Embeds the contents of batches that are not known yet, each once."""

    def __init__(self, encoder: Encoder, preparer: Preparer, known: KnownContents) -> None:
        self._embedder, self._preparer, self._known = Embedder(encoder), preparer, known

    def encode(self, chunk: Chunk, prepared: Sequence[Prepared]) -> EncodedBatch:
        """Find or make the vector of each picture of a chunk that could be read."""
        known = self._known.find([p.content_hash for p in prepared if p.error is None])
        ready = [self._again(p) if _is_lost(p, known) else p for p in prepared]
        new = [p for p in ready if p.pixels is not None and p.content_hash not in known]
        with self._preparer.timing.span("encode", "main", pictures=len(new)):
            embedded = self._embedder.contents(new)
        for content_hash, picture in embedded.items():
            self._known.remember(content_hash, picture)
        # Pixels are not kept for as long as it takes to write the batch.
        slim = [p if p.error is not None else Prepared(p.candidate, p.size, p.content_hash) for p in ready]
        return EncodedBatch(chunk, slim, known | embedded, len(embedded))

    def _again(self, prepared: Prepared) -> Prepared:
        """The picture decoded after all, if it still is the same."""
        found = self._preparer.decode(prepared)
        if found.error is None and found.content_hash != prepared.content_hash:
            changed = PictureError("unreadable", "The file was changed while it was read; index it again.")
            return Prepared(prepared.candidate, error=changed)
        return found


def _is_lost(prepared: Prepared, known: Mapping[str, KnownPicture]) -> bool:
    """Whether a picture was not decoded since its content seemed known, and is not."""
    return prepared.error is None and prepared.pixels is None and prepared.content_hash not in known


class Embedder:
    """Puts pixels through an encoder, so many at a time as there is memory for."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._most: int | None = None
        wanted = encoder.preprocessing
        # Kept, since fresh memory of this size costs as much time as filling it.
        self._batch: Pixels = np.empty((0, wanted.height, wanted.width, 3), np.uint8)

    def contents(self, prepared: Sequence[Prepared]) -> dict[str, KnownPicture]:
        """What is known of decoded pictures, vectors included, by content hash; each content is embedded once."""
        once = {p.content_hash: p for p in prepared}
        if not once:
            return {}
        pixels = self._stacked([p.pixels for p in once.values() if p.pixels is not None])
        vectors = self.vectors(pixels).astype(np.float16)
        return {
            content: KnownPicture(p.facts, p.looks, vector)
            for (content, p), vector in zip(once.items(), vectors, strict=True)
            if p.facts is not None and p.looks is not None
        }

    def _stacked(self, pictures: Sequence[Pixels]) -> Pixels:
        """The pictures as one array, which is good until the next call."""
        if len(pictures) > len(self._batch):
            self._batch = np.empty((len(pictures), *self._batch.shape[1:]), np.uint8)
        return np.stack(pictures, out=self._batch[: len(pictures)])

    def vectors(self, pixels: Pixels) -> Vectors:
        """Embed uint8 pixels [n, height, width, 3]. Where the memory is too small for all, it is tried with half as
        many, from then on.

        Raises:
            ModelError: there is not even memory for one picture.
        """
        parts: list[Vectors] = []
        done = 0
        while done < len(pixels):
            some = pixels[done : done + (self._most or len(pixels))]
            try:
                parts.append(self._encoder.encode_images(some))
            except Exception as error:
                if not _is_out_of_memory(error):
                    raise
                if len(some) == 1:
                    raise ModelError(
                        "There is not enough memory for the model to embed a single picture; "
                        "free some, or choose a smaller model."
                    ) from error
                self._most = len(some) // 2
            else:
                done += len(some)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _is_out_of_memory(error: Exception) -> bool:
    """Python's own error, or what torch, ONNX Runtime and OpenVINO say in a RuntimeError."""
    text = str(error).lower()
    said = ("out of memory", "not enough memory", "failed to allocate memory", "bad_alloc", "bad allocation")
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(words in text for words in said))
