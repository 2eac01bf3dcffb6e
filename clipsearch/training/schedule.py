"""Learning-rate schedule: linear warm-up, then a cosine down to zero."""

from __future__ import annotations

import math


def warmup_cosine(progress: float, warmup: float) -> float:
    """Factor on the peak rate at `progress` 0..1 of the run, of which `warmup` 0..1 is warm-up."""
    if not 0.0 <= warmup < 1.0:
        raise ValueError(f"warm-up must be a share in [0, 1), got {warmup}")
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (progress - warmup) / (1.0 - warmup))))
