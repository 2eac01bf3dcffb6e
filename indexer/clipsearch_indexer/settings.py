"""How a run is to go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run; see `build` for each."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    image_column: str | None
    caption_column: str | None
    keep_missing: bool
    retry_failures: bool
    workers: int
    batch_size: int | None
    max_pixels: int
    thumbnails: bool
    publish_every: float
