"""The folders of an index with how many pictures lie in each, level by level."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from clipsearch.names import from_stored, to_stored
from clipsearch.store.snapshot import Snapshot

# What lies below a folder comes before this in the order of names: it follows the slash.
_AFTER_SLASH = chr(ord("/") + 1)

_BY_FOLDER = """
SELECT root, coalesce(parse_dirpath(file, 'forward_slash'), shard, '') AS folder, count(*)
FROM images GROUP BY ALL
"""
_LISTED = "SELECT root, shard, count(*) FROM images WHERE shard IS NOT NULL AND file IS NOT NULL GROUP BY ALL"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, or a Parquet file, with what is below it.

    Attributes:
        path: as `Filter(folder=...)` takes it: the root's alias, then the folders.
        name: the last part of it.
        pictures: how many pass that filter.
    """

    path: str
    name: str
    pictures: int


class FolderTree:
    """All folders of a version. Holds their names once; a level of it costs what the level holds.

    Args:
        folders: root, folder in it ("" for its top) and how many pictures lie directly in it.
        listed: root, Parquet file in it and how many pictures lie elsewhere though the file names them.
    """

    def __init__(self, folders: Iterable[tuple[str, str, int]], listed: Iterable[tuple[str, str, int]] = ()) -> None:
        counts = {_below(root, folder): count for root, folder, count in folders}
        self._listed = {_below(root, shard): count for root, shard, count in listed}
        self._roots = sorted({path.partition("/")[0] for path in counts})
        self._paths = sorted({*counts, *self._listed})
        self._until = [0, *accumulate(counts.get(path, 0) for path in self._paths)]

    def inside(self, path: str = "") -> tuple[Folder, ...]:
        """The folders directly in a folder, by name; without one, the roots."""
        if not path:
            return tuple(self._folder(root, root) for root in self._roots)
        start = to_stored(path) + "/"
        place, end = bisect_left(self._paths, start), bisect_left(self._paths, start[:-1] + _AFTER_SLASH)
        found = []
        while place < end:
            name = self._paths[place][len(start) :].partition("/")[0]
            if not name:  # the folder itself
                place += 1
                continue
            found.append(self._folder(start + name, name))
            place = bisect_left(self._paths, start + name + _AFTER_SLASH)
        return tuple(sorted(found, key=lambda folder: (folder.name.casefold(), folder.name)))

    def _folder(self, path: str, name: str) -> Folder:
        # A folder may have the name of another root: the filter then takes both.
        others = (f"{root}/{path}" for root in self._roots)
        pictures = self._below(path) + sum(self._below(other) for other in others if not other.startswith(f"{path}/"))
        return Folder(from_stored(path), from_stored(name), pictures)

    def _below(self, path: str) -> int:
        place, end = bisect_left(self._paths, path + "/"), bisect_left(self._paths, path + _AFTER_SLASH)
        return self._until[end] - self._until[place] + self._listed.get(path + "/", 0)


def _below(root: str, folder: str) -> str:
    """With a slash at the end, so that what is in a folder follows it directly in the order of names."""
    return f"{root}/{folder}/" if folder else f"{root}/"


def folder_tree(snapshot: Snapshot) -> FolderTree:
    """The folders of a published version."""
    return FolderTree(snapshot.catalog.fetch(_BY_FOLDER), snapshot.catalog.fetch(_LISTED))
