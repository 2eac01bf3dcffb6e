"""Which model a new index gets when nobody names one."""

from __future__ import annotations

from dataclasses import dataclass

from clipsearch.errors import ModelUnavailable
from clipsearch.models.presets import DEFAULT, PRESETS
from clipsearch.models.weights import resolve


@dataclass(frozen=True, slots=True)
class DefaultChoice:
    """The model to take, and why it is not the one a person would expect, where it is not."""

    name: str
    missing: str | None = None

    @property
    def instead(self) -> str | None:
        """What to tell a person where it is not the one they would expect."""
        if self.missing is None:
            return None
        return (
            f"{self.missing}\n"
            f"Instead {self.name} is used, the small model that ships with clipsearch. It knows simple scenes; on real "
            "photos its results are far worse than the default model's."
        )

    @property
    def notice(self) -> str | None:
        """The same for an index, which keeps its model."""
        return self.instead and (
            f"{self.instead}\n"
            "Once the download works, index again into a new folder: "
            "clipsearch index SOURCE --index NEW_FOLDER --model default"
        )


def choose_default(*, offline: bool = False) -> DefaultChoice:
    """Return the default model, downloading its weights if need be, or `mini` where they cannot be had."""
    preset = PRESETS[DEFAULT]
    try:
        resolve(preset.model, offline=offline)
    except ModelUnavailable as error:
        return DefaultChoice(
            "mini",
            f"The default model {preset.model} ({preset.download_mb / 1000:.1f} GB) is not on this machine and could "
            f"not be downloaded: {error.__cause__}.",
        )
    return DefaultChoice(preset.model)
