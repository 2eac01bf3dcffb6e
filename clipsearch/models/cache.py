"""Small derived facts kept between runs: one file each in the user's cache folder.

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
    data = read_bytes(f"{name}.json")
    try:
        return None if data is None else json.loads(data)
    except ValueError:
        return None


def write(name: str, value: Any) -> None:
    """Store `value`, anything JSON can hold, under `name`; readers see the old value or the new one, never a part."""
    write_bytes(f"{name}.json", json.dumps(value).encode())


def read_bytes(file: str) -> bytes | None:
    """Return what `write_bytes` stored in `file`, a name with its ending, or None."""
    try:
        return _path(file).read_bytes()
    except OSError:
        return None


def write_bytes(file: str, data: bytes) -> None:
    """Store bytes in `file`, as `write` does values."""
    path = _path(file)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError:
        return


def _path(file: str) -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("clipsearch") / file
