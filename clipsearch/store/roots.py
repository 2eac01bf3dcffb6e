"""Moving and removing the roots of an index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clipsearch.errors import QueryError
from clipsearch.store.catalog import Catalog
from clipsearch.store.every_space import every_space
from clipsearch.store.manifest import Root
from clipsearch.store.segments import removals_of
from clipsearch.store.writer import IndexWriter


def relocate(index: Path, alias: str, folder: Path) -> Root:
    """Say where a root is now; nothing is embedded again, since paths are relative to it.

    Raises:
        QueryError: the index has no such root, or the folder is not there.
    """
    place = folder.expanduser().absolute()
    if not place.is_dir():
        raise QueryError(f"{place} is no folder; name the one the pictures of {alias} are in now.")
    with every_space(index) as writers:
        root = replace(_root(writers[0], alias), location=str(place))
        for writer in writers:
            if alias in writer.roots:
                writer.roots[alias] = root
                writer.publish()
    return root


def forget(index: Path, alias: str) -> int:
    """Take a root and its pictures out of every space of the index. Returns how many pictures that were.

    Raises:
        QueryError: the index has no such root.
    """
    with every_space(index) as writers:
        _root(writers[0], alias)
        left = [_forget(writer, alias) for writer in writers if alias in writer.roots]
    return left[0]


def _forget(writer: IndexWriter, alias: str) -> int:
    writer.publish()
    with Catalog(writer.catalog) as catalog:
        ids = [i for i, root in catalog.fetch("SELECT id, root FROM pictures ORDER BY id") if root == alias]
        failed = [(f["root"], f["path"]) for f in catalog.failures() if f["root"] == alias]
    del writer.roots[alias]
    writer.append(removals=removals_of(ids, failed))
    writer.publish()
    return len(ids)


def _root(writer: IndexWriter, alias: str) -> Root:
    if alias not in writer.roots:
        known = ", ".join(writer.roots) or "none"
        raise QueryError(f"The index has no root {alias!r}; its roots are: {known}.")
    return writer.roots[alias]
