"""Which model a new index gets when nobody names one."""

from __future__ import annotations

from dataclasses import dataclass

from clipsearch.errors import ModelUnavailable
from clipsearch.models.presets import DEFAULT, PRESETS
from clipsearch.models.weights import resolve


@dataclass(frozen=True, slots=True)
class DefaultChoice:
    """The model to take, and what to tell the person if it is not the one they would expect."""

    name: str
    notice: str | None = None


def choose_default(*, offline: bool = False) -> DefaultChoice:
    """Return the default model, downloading its weights if need be, or `mini` where they cannot be had."""
    preset = PRESETS[DEFAULT]
    try:
        resolve(preset.model, offline=offline)
    except ModelUnavailable as error:
        return DefaultChoice("mini", _notice(preset.model, preset.download_mb, str(error.__cause__)))
    return DefaultChoice(preset.model)


def _notice(model: str, megabytes: int, reason: str) -> str:
    return (
        f"The default model {model} ({megabytes / 1000:.1f} GB) is not on this machine and could not be downloaded: "
        f"{reason}.\n"
        "This index is made with mini, the small model that ships with clipsearch. It knows simple scenes; on real "
        "photos its results are far worse than the default model's.\n"
        "Once the download works, index again into a new folder: "
        "clipsearch index SOURCE --index NEW_FOLDER --model default"
    )
