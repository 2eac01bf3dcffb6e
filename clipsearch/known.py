"""The indexes this user has made or opened with a command, so that the page can offer them: a list in the user's data
folder.

The list is a convenience: where it cannot be read or written, nothing here raises, and fewer indexes are known.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from clipsearch.store.layout import looks_like_index

_MOST = 100
_PATIENCE = 2.0  # seconds to wait for another process that writes the list


def known() -> tuple[Path, ...]:
    """The index directories that are there now, the last used first."""
    return tuple(path for path in _listed(_file()) if looks_like_index(path))


def remember(index: Path) -> None:
    """Put an index directory at the head of the list, also one that is about to be made."""
    from filelock import FileLock

    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock", timeout=_PATIENCE):
            paths = dict.fromkeys([index.absolute(), *_listed(file)])
            _write(file, [str(path) for path in paths][:_MOST])
    except (OSError, NotImplementedError):  # a full disk, a folder that is read-only or has no locks
        return


def _file() -> Path:
    from platformdirs import user_data_path

    return user_data_path("clipsearch") / "indexes.json"


def _listed(file: Path) -> list[Path]:
    """What the list has, whether it is there or not; of a damaged list, what makes sense."""
    try:
        listed = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(listed, list):
        return []
    return [Path(entry) for entry in listed if isinstance(entry, str) and Path(entry).is_absolute()]


def _write(file: Path, entries: list[str]) -> None:
    """Readers see the old list or the new one, never a part."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(json.dumps(entries, indent=1), "utf-8")
    draft.replace(file)
