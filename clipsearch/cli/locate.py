"""Finding the index, as git finds `.git`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from clipsearch.errors import IndexNotFound
from clipsearch.store.layout import looks_like_index

NAME = ".clipsearch"


def find_index(given: Path | None) -> Path:
    """The index to read: the one given, else `.clipsearch` in the current folder or one above it.

    Raises:
        IndexNotFound: there is none.
    """
    if given is not None:
        return _at(given)
    for folder in _upwards(Path.cwd()):
        if looks_like_index(folder / NAME):
            return folder / NAME
    raise IndexNotFound(
        f"There is no index in {Path.cwd()} or above it; name one with --index DIR, or make one with "
        f"`clipsearch index FOLDER`."
    )


def place_index(given: Path | None, source: str) -> Path:
    """The index to write: the one given, the source's own, one found from here or from the source upwards, or a new
    one in the source."""
    if given is not None:
        return _at(given)
    folder = _folder_of(source)
    for place in (folder, *_upwards(Path.cwd()), *_upwards(folder)):
        if looks_like_index(place / NAME):
            return place / NAME
    return folder / NAME


def _at(given: Path) -> Path:
    """An index directory, also where the folder around its `.clipsearch` is named."""
    path = Path(os.path.abspath(given.expanduser()))  # noqa: PTH100 - one name each, and resolve() would follow links
    return path / NAME if not looks_like_index(path) and looks_like_index(path / NAME) else path


def _upwards(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents


def _folder_of(source: str) -> Path:
    """The folder of a source: itself, that of a file, or the part of a glob before its first wildcard."""
    path = Path(source).expanduser().absolute()
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path
