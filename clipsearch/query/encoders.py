"""The models of an index's spaces, each loaded when a query first needs it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from clipsearch.errors import ModelMismatch
from clipsearch.store.manifest import ModelRef
from clipsearch.types import Encoder


class Encoders:
    """Models by what embedded the vectors.

    Args:
        index: whose they are.
        given: ready ones.
        device: `auto`, `cuda`, `mps` or `cpu`, for those that are loaded.
        engine: `auto`, `torch` or `onnx`, likewise.
        offline: never touch the network.
    """

    def __init__(self, index: Path, given: Iterable[Encoder], device: str, engine: str, offline: bool) -> None:
        self._index, self._device, self._engine, self._offline = index, device, engine, offline
        self._ready = {encoder.fingerprint: encoder for encoder in given}

    def require_used(self, models: Iterable[ModelRef]) -> None:
        """Refuse ready encoders none of which is of one of these models.

        Raises:
            ModelMismatch: that is so.
        """
        made_with = list(models)
        if self._ready and not any(model.fingerprint in self._ready for model in made_with):
            raise self._mismatch(made_with[0], next(iter(self._ready.values())))

    def of(self, model: ModelRef) -> Encoder:
        """The encoder of a model.

        Raises:
            ModelError: it cannot be loaded.
            ModelMismatch: what its name stands for has changed since the space was made.
        """
        if model.fingerprint not in self._ready:
            from clipsearch.models import load_encoder

            loaded = load_encoder(model.name, device=self._device, engine=self._engine, offline=self._offline)
            if loaded.fingerprint != model.fingerprint:
                raise self._mismatch(model, loaded)
            self._ready[model.fingerprint] = loaded
        return self._ready[model.fingerprint]

    def _mismatch(self, made_with: ModelRef, encoder: Encoder) -> ModelMismatch:
        return ModelMismatch(
            f"{self._index} was made with {made_with.name} ({made_with.fingerprint[:8]}), which is not the "
            f"{encoder.name} at hand ({encoder.fingerprint[:8]}); their vectors do not compare. Open it with the "
            f"model it was made with, or index again into a new folder with --index DIR."
        )
