"""From open_clip's preprocessing configuration to `clipsearch.types.Preprocessing`, without building the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clipsearch.models.catalogue import Config
from clipsearch.types import Preprocessing

_FIELDS = ("resize_mode", "interpolation", "mean", "std", "fill_color")


def preprocessing_of(config: Config, overrides: Mapping[str, Any]) -> Preprocessing:
    """Return how pictures are prepared for the architecture `config`.

    `overrides` is a `preprocess_cfg` or a row of `catalogue.published()`; what it leaves out has open_clip's default.
    Its `size` is not looked at: open_clip too goes by the size that the vision tower is built with.
    """
    height, width = _pair(config["vision_cfg"].get("image_size", 224))
    known: dict[str, Any] = {key: overrides[key] for key in _FIELDS if overrides.get(key) is not None}
    for key in ("mean", "std"):
        if key in known:
            known[key] = _triple(known[key])
    known["fill"] = int(known.pop("fill_color", 0))
    # `random` is for training; open_clip itself reads it as bicubic when it searches.
    known["interpolation"] = "bilinear" if known.get("interpolation") == "bilinear" else "bicubic"
    return Preprocessing(width=width, height=height, **known)


def agreed(tags: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the preprocessing that all published weights of an architecture share, or nothing if they differ.

    A file of weights does not say how its pictures were prepared; its architecture usually does.
    """
    distinct = {repr([tag.get(key) for key in _FIELDS]): tag for tag in tags}
    return next(iter(distinct.values())) if len(distinct) == 1 else {}


def _pair(size: int | list[int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _triple(value: float | list[float]) -> tuple[float, float, float]:
    return (value, value, value) if isinstance(value, float | int) else (value[0], value[1], value[2])
