"""The models of a run: that of the main space, and those further spaces are to be made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from clipsearch.errors import UsageError
from clipsearch.store.layout import Layout
from clipsearch.store.manifest import ModelRef, published_version, read_manifest
from clipsearch.store.spaces import Space, Spaces, path_of, read_spaces
from clipsearch.types import Encoder
from clipsearch_indexer.model import ModelOptions, RunModel, choose_model, published_model


@dataclass(frozen=True, slots=True)
class Loading:
    """How models are loaded: ready `encoders` first, by their fingerprints; the others by name, as the user `spelled`
    it (by fingerprint) where he did, since a model's folder may have moved."""

    encoders: tuple[Encoder, ...]
    options: ModelOptions
    spelled: Mapping[str, str] = field(default_factory=dict)

    def as_spelled(self, asked: Sequence[str | Encoder]) -> Loading:
        """The same with names as a user gave them."""
        return replace(self, spelled={self.fingerprint(name): name for name in asked if isinstance(name, str)})

    def model(self, ref: ModelRef) -> RunModel:
        """The model that an existing space was made with, loaded when it is first needed."""
        ready = [encoder for encoder in self.encoders if encoder.fingerprint == ref.fingerprint]
        name = self.spelled.get(ref.fingerprint, ref.name)
        return RunModel(ref, (lambda: ready[0]) if ready else lambda: self._load(name))

    def new(self, asked: str | Encoder) -> RunModel:
        """A model that a space is to be made with, loaded now."""
        encoder = self._load(asked) if isinstance(asked, str) else asked
        return RunModel(ModelRef(encoder.name, encoder.fingerprint, encoder.dim), lambda: encoder)

    def fingerprint(self, asked: str | Encoder) -> str:
        """The fingerprint of a model, which is not loaded for it."""
        from clipsearch.models import model_fingerprint

        return model_fingerprint(asked, offline=self.options.offline) if isinstance(asked, str) else asked.fingerprint

    def _load(self, name: str) -> Encoder:
        return self.options.load(name)


@dataclass(frozen=True, slots=True)
class RunModels:
    """The model of the main space; names and models of spaces to be made; how those of other spaces are loaded; and a
    notice where the first is not the one a user would expect."""

    main: RunModel
    new: tuple[tuple[str, RunModel], ...]
    loading: Loading
    notice: str | None = None

    def for_others(self) -> Loading:
        """How models of further spaces are loaded, but for those that are loaded already."""
        main = [self.main.encoder] if self.main.is_loaded else []
        loaded = (*main, *(model.encoder for _, model in self.new))
        return replace(self.loading, encoders=(*self.loading.encoders, *loaded))


def choose_models(index: Path, asked: Sequence[str | Encoder], loading: Loading) -> RunModels:
    """The models for a run on `index`, where `asked` are those the user named.

    The first is that of a new index. An existing one keeps its own: those of its spaces may be named again, and others
    beside one of them get a space each.

    Raises:
        ModelError: one cannot be found or loaded.
        ModelMismatch: of several or one, none is that of a space of the existing index.
        UsageError: one is named twice.
    """
    if len(asked) > 1:
        _refuse_twice(asked, loading)
    known = spaces_by_fingerprint(index)
    further = [model for model in asked if loading.fingerprint(model) not in known] if len(asked) > 1 or known else []
    if known and len(further) < len(asked):
        ref = published_model(index)
        assert ref is not None  # it has spaces
        loading = loading.as_spelled(asked)
        return RunModels(loading.model(ref), _named(further, loading), loading)
    first = asked[0] if asked else None
    name, encoder = (first, None) if first is None or isinstance(first, str) else (None, first)
    main, notice = choose_model(index, name, encoder, loading.options)
    return RunModels(main, _named(asked[1:], loading), loading, notice)


def spaces_by_fingerprint(index: Path) -> dict[str, Space]:
    """The spaces of pictures of an index by their models' fingerprints; none where there is no index."""
    if published_model(index) is None:
        return {}
    pictures = (space for space in read_spaces(index).spaces if space.of == "pictures")
    return {model_of(index, space).fingerprint: space for space in pictures}


def model_of(index: Path, space: Space) -> ModelRef:
    """The model that a space was made with."""
    layout = Layout(path_of(index, space))
    return read_manifest(layout.manifest(published_version(layout))).model


def name_of(asked: str | Encoder) -> str:
    """A model's name as the user gave it."""
    return asked if isinstance(asked, str) else asked.name


def refuse_taken(spaces: Spaces, name: str, model: str) -> None:
    """Raise `UsageError` where a space has that name."""
    if name in spaces.names:
        raise UsageError(
            f"The index has a space {name!r} already, of another model than {model}; add this one under another name, "
            f"with `clipsearch spaces add INDEX --model {model} --name NAME`."
        )


def _named(asked: Sequence[str | Encoder], loading: Loading) -> tuple[tuple[str, RunModel], ...]:
    return tuple((name_of(model), loading.new(model)) for model in asked)


def _refuse_twice(asked: Sequence[str | Encoder], loading: Loading) -> None:
    seen: dict[str, str] = {}
    for model in asked:
        fingerprint = loading.fingerprint(model)
        if fingerprint in seen:
            raise UsageError(f"{seen[fingerprint]} and {name_of(model)} are one and the same model; name it once.")
        seen[fingerprint] = name_of(model)
