"""Small derived facts kept between runs: one JSON file each in the user's cache folder.

Everything here can be worked out again, so nothing in this module ever raises: an unreadable or read-only cache folder
costs time, never a run.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def read(name: str) -> Any | None:
    """Return what `write` stored under `name`, or None."""
    try:
        return json.loads(_path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write(name: str, value: Any) -> None:
    """Store `value`, anything JSON can hold, under `name`; readers see the old value or the new one, never a part."""
    path = _path(name)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(value), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        return


def _path(name: str) -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("clipsearch") / f"{name}.json"
