"""What a user names on the command line, turned into sources."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clipsearch.errors import SourceError
from clipsearch.names import to_stored
from clipsearch_indexer.sources.names import file_kind, is_skipped

SourceKind = Literal["folder", "shards", "picture"]

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_WILD = re.compile(r"[*?\[]")
_KINDS: dict[str, SourceKind] = {"picture": "picture", "shard": "shards"}


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to index.

    `given` is what the user wrote, `root` an absolute folder (its links not resolved). `files` are stored paths
    relative to `root`, of Parquet files (`shards`) or pictures (`picture`); empty for a `folder`. `exists` is False
    where nothing is there: a caller that knows `root` from before takes it for offline.
    """

    given: str
    root: Path
    kind: SourceKind
    files: tuple[str, ...]
    exists: bool


def resolve_sources(sources: Sequence[str]) -> tuple[Source, ...]:
    """Resolve each of a user's sources: a folder, a Parquet file, a picture, or a glob of any of these.

    A glob may stand for several sources; a source named twice is one. Raises `SourceError` for an address on the
    network, for a file that is neither a picture nor Parquet, and for a glob that matches nothing in a folder that is
    there.
    """
    return tuple(dict.fromkeys(source for given in sources for source in _resolve(given)))


def _resolve(given: str) -> Iterator[Source]:
    if not given:
        raise SourceError("A source is empty; name a folder, a Parquet file or a glob.")
    if _URL.match(given):
        raise SourceError(f"{given} is on the network; download it or mount it as a folder first.")
    path = Path(os.path.abspath(Path(given).expanduser()))  # noqa: PTH100 - resolve() would follow links
    if path.is_dir():
        yield Source(given, path, "folder", (), True)
    elif path.exists():
        yield _one_file(given, path, exists=True)
    elif _WILD.search(os.fspath(path)):
        yield from _glob(given, path)
    elif file_kind(path.name):
        yield _one_file(given, path, exists=False)
    else:
        yield Source(given, path, "folder", (), False)


def _one_file(given: str, path: Path, *, exists: bool) -> Source:
    kind = file_kind(path.name)
    if kind is None:
        raise SourceError(f"{given} is neither a folder, a picture nor a Parquet file; name one of these.")
    return Source(given, path.parent, _KINDS[kind], (to_stored(path.name),), exists)


def _glob(given: str, path: Path) -> Iterator[Source]:
    """One source for the pictures that match and one for the Parquet files; where only folders match, one for each."""
    wild = next(place for place, part in enumerate(path.parts) if _WILD.search(part))
    root, pattern = Path(*path.parts[:wild]), "/".join(path.parts[wild:])
    if not root.is_dir():
        yield Source(given, root, "shards", (), False)
        return
    # Path.glob does not follow links for `**`, so it ends even where links form a loop.
    matches = [match for match in sorted(root.glob(pattern)) if not _is_hidden(match.relative_to(root))]
    found = False
    for kind, source_kind in _KINDS.items():
        files = [match for match in matches if file_kind(match.name) == kind and match.is_file()]
        if files:
            found = True
            yield Source(given, root, source_kind, tuple(_relative(file, root) for file in files), True)
    if not found:
        yield from _folders(given, [match for match in matches if match.is_dir()])


def _folders(given: str, folders: list[Path]) -> Iterator[Source]:
    if not folders:
        raise SourceError(f"{given} matches no picture, no Parquet file and no folder; check the pattern.")
    for folder in folders:
        if not any(parent in folders for parent in folder.parents):
            yield Source(given, folder, "folder", (), True)


def _is_hidden(path: Path) -> bool:
    return any(is_skipped(part) for part in path.parts)


def _relative(path: Path, root: Path) -> str:
    return to_stored(path.relative_to(root).as_posix())
