"""`--copy-to` and `--link-to`: the found pictures as files of a folder, in the order of their rank."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipsearch.errors import PictureError, UsageError

if TYPE_CHECKING:
    from clipsearch.query.index import Index
    from clipsearch.types import Hit

CopyToOption = Annotated[
    Path | None,
    typer.Option("--copy-to", metavar="DIR", help="Copy the found pictures into a folder.", show_default=False),
]
LinkToOption = Annotated[
    Path | None,
    typer.Option(
        "--link-to", metavar="DIR", help="Link the found pictures into a folder by symbolic links.", show_default=False
    ),
]

_LONGEST_NAME = 240
"""Bytes; file systems take 255, and a number may follow."""

_LONGEST_ENDING = 10
"""Characters; what is longer is a name with a dot in it."""

_ENDINGS = {"JPEG": "jpg", "TIFF": "tif", "JPEG2000": "jp2", "HEIF": "heic"}


@dataclass(frozen=True, slots=True)
class Placed:
    """What came of placing pictures into a folder; `skipped` pairs the path of each left out with the reason."""

    folder: Path
    linked: int
    copied: int
    skipped: tuple[tuple[str, str], ...]


def place_copies(index: Index, hits: Sequence[Hit], folder: Path) -> Placed:
    """Write every hit's picture into a folder as `<rank>_<name>`, whatever holds it; files keep their time of change.

    The folder is made where needed. Nothing in it is overwritten or written through: a name that is taken gets a
    number. A picture that is gone is skipped.

    Raises:
        UsageError: `folder` is a file.
    """
    return _place(index, hits, folder, link=False)


def place_links(index: Index, hits: Sequence[Hit], folder: Path) -> Placed:
    """As `place_copies`, but with symbolic links to the files. A picture inside Parquet is copied, and so is every one
    where links are not possible."""
    return _place(index, hits, folder, link=True)


def print_placed(placed: Placed, *, link: bool) -> None:
    """Say on standard error what was placed and what was not. `link` is whether links were asked for."""
    from clipsearch.cli.render import one_line, plural

    if link and placed.copied:
        why = "they lie inside Parquet files or links are not possible there"
        print(
            f"Linked {plural(placed.linked, 'picture')} into {placed.folder} and copied {placed.copied:,}: {why}.",
            file=sys.stderr,
        )
    else:
        done = f"Linked {plural(placed.linked, 'picture')}" if link else f"Copied {plural(placed.copied, 'picture')}"
        print(f"{done} into {placed.folder}.", file=sys.stderr)
    for path, reason in placed.skipped:
        print(f"Skipped {one_line(path)}: {reason}", file=sys.stderr)


def _place(index: Index, hits: Sequence[Hit], folder: Path, *, link: bool) -> Placed:
    folder = folder.expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{folder} is not a folder; name one, or one to be made.") from None
    width = max(3, len(str(len(hits))))
    linked, copied, skipped = 0, 0, []
    for rank, hit in enumerate(hits, start=1):
        name = f"{rank:0{width}d}_{_name(hit)}"
        try:
            if link and _linked(hit, folder, name):
                linked += 1
            else:
                _copy(index, hit, folder, name)
                copied += 1
        except PictureError as error:
            skipped.append((hit.path, str(error)))
    return Placed(folder, linked, copied, tuple(skipped))


def _linked(hit: Hit, folder: Path, name: str) -> bool:
    """Whether a link could be made."""
    source = Path(hit.path)
    if hit.metadata["file"] is None or not source.is_file():
        return False
    try:
        _create(folder, name, lambda target: target.symlink_to(source))
    except OSError:  # a file system without links, or an account that may not make any
        return False
    return True


def _copy(index: Index, hit: Hit, folder: Path, name: str) -> None:
    data = index.picture(hit.id)

    def write(target: Path) -> None:
        file = target.open("xb")
        try:
            with file:
                file.write(data)
        except BaseException:
            target.unlink()
            raise

    target = _create(folder, name, write)
    if hit.metadata["file"] is not None:
        with suppress(OSError):  # gone since, or a file system without such times
            seen = Path(hit.path).stat()
            os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def _create(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Make a file of the first free name; `make` raises FileExistsError for one that is taken."""
    for free in _names(name):
        try:
            make(folder / free)
        except FileExistsError:
            continue
        return folder / free
    raise AssertionError("there is always another name")


def _names(name: str) -> Iterator[str]:
    stem, ending = Path(name).stem, Path(name).suffix
    if len(ending) > _LONGEST_ENDING:
        stem, ending = name, ""
    while len(os.fsencode(stem + ending)) > _LONGEST_NAME:
        stem = stem[:-1]
    yield stem + ending
    number = 2
    while True:
        yield f"{stem}-{number}{ending}"
        number += 1


def _name(hit: Hit) -> str:
    """A file's own name; for a picture inside Parquet the file's name with row group, row and a fitting ending."""
    if hit.metadata["file"] is not None:
        return Path(hit.path).name
    kind = hit.metadata["format"]
    place = Path(hit.path)  # <folder>/<parquet file>#<row group>/<row>
    shard, _, row_group = place.parent.name.rpartition("#")
    return f"{Path(shard).stem}_{row_group}_{place.name}.{_ENDINGS.get(kind, kind.lower())}"
