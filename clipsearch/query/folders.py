"""Folders of an index and of this machine, as conditions on `images`."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

from clipsearch.errors import QueryError
from clipsearch.names import to_stored
from clipsearch.store.sql import literal


def in_folder(folder: str, roots: Mapping[str, Path]) -> str:
    """The SQL condition for the pictures in a folder, as `Filter` takes it, and below it.

    Raises:
        QueryError: it lies outside the roots.
    """
    if Path(folder).is_absolute() or re.match(r"(?:~|\.\.?)(?:$|[/\\])", folder):
        # Not Path.resolve: a root reached through a link has to keep the name its user knows it by.
        place = Path(os.path.abspath(Path(folder).expanduser()))  # noqa: PTH100
        return _in_place(place, roots)
    inside = to_stored(posixpath.normpath(folder.replace(os.sep, "/")))
    choices = [_under(inside)]
    for alias in roots:
        if inside == alias or inside.startswith(f"{alias}/"):
            choices.append(_in_root(alias, inside[len(alias) + 1 :]))
    return " OR ".join(choices)


def _in_place(place: Path, roots: Mapping[str, Path]) -> str:
    """The condition for an absolute folder: a root, a folder above roots, or one inside a root."""
    choices = []
    for alias, root in roots.items():
        # The shell may know the folder by another name than the index: `.` has no links left in it.
        for folder, top in ((place, root), (place.resolve(), root.resolve())):
            if top.is_relative_to(folder):
                choices.append(_in_root(alias, ""))
            elif folder.is_relative_to(top):
                choices.append(_in_root(alias, to_stored(folder.relative_to(top).as_posix())))
    if not choices:
        known = ", ".join(str(root) for root in roots.values())
        raise QueryError(f"{place} lies outside what this index holds; choose a folder in {known}.")
    return " OR ".join(dict.fromkeys(choices))


def _in_root(alias: str, inside: str) -> str:
    here = f"root = {literal(alias)}"
    return f"({here} AND ({_under(inside)}))" if inside else here


def _under(inside: str) -> str:
    """The condition for a stored folder, or a Parquet file, of any root."""
    return f"starts_with(coalesce(file, path), {literal(inside + '/')}) OR shard = {literal(inside)}"
