"""The model of a run: the index's own, or the one a new index is made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from clipsearch.store.layout import Layout
from clipsearch.store.manifest import ModelRef, published_version, read_manifest, require_same_model
from clipsearch.store.spaces import main_folder
from clipsearch.types import Encoder


def published_model(index: Path) -> ModelRef | None:
    """The model of the main space of the index at `index`; None where there is no published index."""
    layout = Layout(main_folder(index))
    if not layout.current.exists():
        return None
    return read_manifest(layout.manifest(published_version(layout))).model


@dataclass
class RunModel:
    """Loads the run's model when it is first needed, which a run without new pictures never does.

    `ref` is the model of the index. Loading checks that the name still stands for that model.
    """

    ref: ModelRef
    load: Callable[[], Encoder]

    @property
    def is_loaded(self) -> bool:
        """Whether `encoder` is at hand."""
        return "encoder" in self.__dict__

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder.

        Raises:
            ModelError: it cannot be loaded.
            ModelMismatch: it is not the index's model.
        """
        encoder = self.load()
        require_same_model(self.ref, encoder.name, encoder.fingerprint)
        return encoder


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How models are loaded, as `clipsearch.models.load_encoder` has it."""

    device: str
    engine: str
    offline: bool
    tell: Callable[[str], None] = lambda what: None

    def load(self, name: str) -> Encoder:
        """The encoder of a model; raises ModelError where it cannot be loaded."""
        from clipsearch.models import load_encoder

        return load_encoder(name, device=self.device, engine=self.engine, offline=self.offline, tell=self.tell)


def choose_model(
    index: Path, model: str | None, encoder: Encoder | None, options: ModelOptions
) -> tuple[RunModel, str | None]:
    """The model for a run on `index`, and a notice where it is not the one a user would expect.

    Raises:
        ModelError: the model cannot be found or loaded.
        ModelMismatch: `model` or `encoder` is not the model of the existing index.
    """
    from clipsearch.models import choose_default, model_fingerprint

    published = published_model(index)
    if encoder is not None:
        ref = published or ModelRef(encoder.name, encoder.fingerprint, encoder.dim)
        require_same_model(ref, encoder.name, encoder.fingerprint)
        return RunModel(ref, lambda: encoder), None
    if published is not None:
        if model is not None:
            require_same_model(published, model, model_fingerprint(model, offline=options.offline))
        name = model or published.name
        return RunModel(published, lambda: options.load(name)), None
    notice = None
    if model is None:
        choice = choose_default(offline=options.offline)
        model, notice = choice.name, choice.notice
    loaded = options.load(model)
    return RunModel(ModelRef(loaded.name, loaded.fingerprint, loaded.dim), lambda: loaded), notice
