"""The pictures and Parquet files below a folder."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from clipsearch.errors import FailureReason, UsageError
from clipsearch.names import to_stored
from clipsearch_indexer.sources.names import FileKind, file_kind, is_skipped

IGNORE_FILE = ".clipsearchignore"


@dataclass(frozen=True, slots=True)
class Found:
    """A file to index: its stored path relative to the root (with `/`), its size in bytes and time of change."""

    path: str
    bytes: int
    mtime_ns: int
    kind: FileKind


@dataclass(frozen=True, slots=True)
class Problem:
    """A file, or a directory with all below it, that cannot be looked at; `path` as in `Found`, "." for the root."""

    path: str
    reason: FailureReason
    message: str


def walk(
    root: Path, *, include: Sequence[str] = (), exclude: Sequence[str] = (), skip: Collection[Path] = ()
) -> Iterator[Found | Problem]:
    """Yield what there is to index below `root`, in the same order every time.

    `include` and `exclude` are gitignore-style patterns relative to `root`; without `include` everything is included,
    and `exclude` wins. A file `.clipsearchignore` in the root adds to `exclude`. Directories in `skip`, hidden and
    junk directories, and indexes made by clipsearch are passed over. A directory that can be reached in several ways,
    through symbolic links, is visited once, under its real name where that is below `root`.

    Raises `UsageError` at once for a malformed pattern.
    """
    excluded = _patterns([*_ignore_file(root), *exclude])
    included = _patterns(include) if include else None
    return _Walk(root, included, excluded, skip).run()


def _ignore_file(root: Path) -> list[str]:
    try:
        return (root / IGNORE_FILE).read_text("utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []


def _patterns(lines: Sequence[str]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(to_stored(line) for line in lines)
    except ValueError as error:
        raise UsageError(f"A pattern is not written as in .gitignore ({error}); correct it.") from error


class _Walk:
    """One walk: what is wanted of the tree, and which directories have been seen."""

    def __init__(
        self, root: Path, included: GitIgnoreSpec | None, excluded: GitIgnoreSpec, skip: Collection[Path]
    ) -> None:
        self._root = os.fspath(root)
        self._included = included
        self._excluded = excluded
        self._seen = {identity for path in skip if (identity := _identity(os.fspath(path)))}
        # Relative paths with a trailing "/", the next one last. Links, the next one first, wait until the real
        # directories are done, so that a picture keeps its real path when somebody adds a link.
        self._directories = [""]
        self._links: deque[str] = deque()

    def run(self) -> Iterator[Found | Problem]:
        while self._directories or self._links:
            directory = self._directories.pop() if self._directories else self._links.popleft()
            identity = _identity(self._root + "/" + directory)
            if identity in self._seen:
                continue
            if identity:
                self._seen.add(identity)
            yield from self._directory(directory)

    def _directory(self, directory: str) -> Iterator[Found | Problem]:
        try:
            with os.scandir(self._root + "/" + directory) as listing:
                entries = {entry.name: entry for entry in listing}
        except OSError as error:
            yield _problem(directory.rstrip("/") or ".", "The folder", error)
            return
        if {"CURRENT", "segments"} <= entries.keys() or {"spaces.json", "spaces"} <= entries.keys():
            return  # an index of clipsearch
        below: list[str] = []
        for name in sorted(entries, key=os.fsencode):
            if is_skipped(name):
                continue
            if _is_directory(entries[name]):
                self._note(directory + name + "/", entries[name].is_symlink(), below)
            elif (kind := file_kind(name)) and self._wants(to_stored(directory + name)):
                yield from _file(directory + name, entries[name], kind)
        self._directories.extend(reversed(below))

    def _note(self, directory: str, is_link: bool, below: list[str]) -> None:
        if not self._excluded.match_file(to_stored(directory)):
            (self._links if is_link else below).append(directory)

    def _wants(self, path: str) -> bool:
        included = self._included is None or self._included.match_file(path)
        return included and not self._excluded.match_file(path)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, a directory one may list but not enter
        return False


def _file(path: str, entry: os.DirEntry[str], kind: FileKind) -> Iterator[Found | Problem]:
    try:
        found = entry.stat()
    except OSError as error:
        yield _problem(path, "The file", error)
        return
    if stat.S_ISREG(found.st_mode):  # a pipe or a device would be read for ever
        yield Found(to_stored(path), found.st_size, found.st_mtime_ns, kind)


def _problem(path: str, what: str, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem(to_stored(path), "missing", f"{what} is gone, or is a link that leads nowhere.")
    return Problem(to_stored(path), "unreadable", f"{what} cannot be read ({error.strerror}); check its permissions.")
