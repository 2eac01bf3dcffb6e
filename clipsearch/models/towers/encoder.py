"""The encoder for a CPU: texts in NumPy, pictures in ONNX Runtime, and torch where it must be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from clipsearch.errors import ModelError
from clipsearch.models.fingerprint import fingerprint_of
from clipsearch.models.tokenizer import tokenizer_of
from clipsearch.models.towers import facts
from clipsearch.models.towers.engine import Engine
from clipsearch.models.towers.facts import SHIPPED_IMAGE, TEXT_WEIGHTS, Facts
from clipsearch.models.weights import ResolvedModel
from clipsearch.types import Pixels, Preprocessing, Vectors

if TYPE_CHECKING:
    from clipsearch.models.openclip import OpenClipEncoder

Tell = Callable[[str], None]
ImageEncode = Callable[[Pixels], Vectors]
TextEncode = Callable[[Sequence[str]], Vectors]

_BATCH = 64
_WORTH_EXPORTING = 16
"""Pictures in a call: to embed fewer, nobody waits for an export."""


class PortableEncoder:
    """`clipsearch.types.Encoder` for models of open_clip on a CPU. Safe to use from several threads.

    Each tower is loaded when it is first needed. The first time a model is seen at all, torch loads it, checks it and
    tells its facts; the first time many pictures are embedded, it exports the image tower.

    Args:
        model: its files.
        engine: `onnx`, or `auto` for the quicker of that and torch.
        threads: to compute with; by default one for each processor.
        tell: hears of an export, which takes from seconds to a minute.

    Raises:
        ModelError: the files make no such model.
    """

    def __init__(
        self, model: ResolvedModel, engine: Engine, threads: int | None = None, tell: Tell = lambda what: None
    ) -> None:
        self.name = model.name
        self.fingerprint = fingerprint_of(model)
        self.dim = int(model.config["embed_dim"])
        self.batch_size = _BATCH
        self.preprocessing: Preprocessing = model.preprocessing
        self._model, self._engine, self._threads, self._tell = model, engine, threads, tell
        self._torch: OpenClipEncoder | None = None
        self._images: ImageEncode | None = None
        self._texts: TextEncode | None = None
        self._loading = Lock()
        self._folder = facts.cache_folder(self.fingerprint)
        self._facts = self._known_facts() or self._learnt_facts()
        self.logit_scale, self.logit_bias = self._facts.logit_scale, self._facts.logit_bias

    def encode_images(self, pixels: Pixels) -> Vectors:
        """Embed uint8 pixels [n, height, width, 3] of the size `preprocessing` says; returns float32 [n, dim]."""
        with self._loading:
            encode = self._images or self._load_images(len(pixels))
        return encode(pixels)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed sentences, each cut off at the model's context length; returns float32 [n, dim]."""
        with self._loading:
            encode = self._texts = self._texts or self._load_texts()
        return encode(texts)

    def _known_facts(self) -> Facts | None:
        shipped = facts.read_facts(facts.shipped_folder(self._model), self.fingerprint)
        found = shipped or facts.read_facts(self._folder, self.fingerprint)
        return None if found and found.text == "exported" and not self._text_weights.is_file() else found

    def _learnt_facts(self) -> Facts:
        from clipsearch.models.towers.export import facts_of

        encoder = self._by_torch()
        try:
            found = facts_of(encoder, self._model, self._folder)
            facts.write_facts(self._folder, found)
        except OSError:  # a cache that cannot be written costs time, never a run
            found = Facts(self.fingerprint, encoder.logit_scale, encoder.logit_bias, "torch")
        return found

    @property
    def _text_weights(self) -> Path:
        return self._folder / TEXT_WEIGHTS

    def _by_torch(self) -> OpenClipEncoder:
        """The model loaded by torch, once."""
        if self._torch is None:
            from clipsearch.models.openclip import OpenClipEncoder

            self._torch = OpenClipEncoder(self._model, "cpu", self._threads)
        return self._torch

    def _handed_over(self) -> OpenClipEncoder:
        """The model loaded by torch, which is not kept: its memory is for pictures now, that of its texts already while
        their tower is exported."""
        encoder = self._by_torch()
        if self._facts.text != "torch":
            self._torch = None
            encoder.let_go_of_texts()
        return encoder

    def _load_texts(self) -> TextEncode:
        if self._facts.text == "torch":
            return self._by_torch().encode_texts
        from clipsearch.models.towers.mapped import map_tensors
        from clipsearch.models.towers.text_tower import TextTower, text_shape

        shape = text_shape(self._model.config)
        file = self._model.checkpoint if self._facts.text == "model" else self._text_weights
        try:
            tower = TextTower(shape, map_tensors(file)) if shape else None
        except (OSError, ValueError, LookupError):
            tower = None
        if tower is None:  # what was exported is damaged; torch writes it anew for the next time
            self._facts = self._learnt_facts()
            # Not kept for pictures, too: exporting their tower takes the texts' out.
            encoder, self._torch = self._by_torch(), None
            return encoder.encode_texts
        tokenize = tokenizer_of(self._model)
        return lambda texts: tower(tokenize(texts))

    def _load_images(self, count: int) -> ImageEncode:
        """What embeds pictures from now on; torch, and only this time, where few are wanted before an export."""
        if tower := self._shipped_images() or self._chosen_images():
            self._images = tower
        elif count < _WORTH_EXPORTING:
            return self._by_torch().encode_images
        else:
            self._images = self._exported_images()
        return self._images

    def _shipped_images(self) -> ImageEncode | None:
        folder = facts.shipped_folder(self._model)
        if not (folder / SHIPPED_IMAGE).is_file() or facts.read_facts(folder, self.fingerprint) is None:
            return None
        from clipsearch.models.towers.image_tower import ImageTower

        return ImageTower(folder / SHIPPED_IMAGE, self._threads)

    def _chosen_images(self) -> ImageEncode | None:
        """What an earlier run found to be best; None where none did, or what it kept is damaged."""
        from clipsearch.models.towers.image_choice import open_graph, read_choice

        choice = read_choice(self._folder)
        if choice is None:
            return None
        if choice.engine == "torch" and self._engine == "auto":
            encoder = self._by_torch()
            return encoder.encode_images_in_bfloat16 if choice.bfloat16 else encoder.encode_images
        if choice.precision is None:
            raise ModelError(f"The engine onnx cannot run the image tower of {self.name}: choose --engine torch.")
        return open_graph(self._folder, choice, self.preprocessing, self._threads)

    def _exported_images(self) -> ImageEncode:
        from clipsearch.models.towers.selection import forget, select

        try:
            forget(self._folder)
            select(self._handed_over, self._folder, self._threads, self._tell)
            chosen = self._chosen_images()
        except OSError:  # as for facts
            chosen = None
        if chosen is None:
            return self._by_torch().encode_images
        return chosen
