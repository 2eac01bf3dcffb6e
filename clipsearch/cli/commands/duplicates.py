"""`clipsearch duplicates`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipsearch.cli.filter_options import FolderOption, filter_from
from clipsearch.cli.options import IndexOption, JsonOption
from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from clipsearch.types import Copy, DuplicateGroup


class Level(StrEnum):
    """What counts as the same picture."""

    bytes = "bytes"
    near = "near"


def duplicates(
    level: Annotated[
        Level,
        typer.Option(
            "--level", help="bytes: equal byte for byte; near: also resized, compressed again, trimmed or brightened."
        ),
    ] = Level.bytes,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            metavar="COSINE",
            help="For near: how similar two pictures must be, above 0 and up to 1 (0.93 if not given).",
            show_default=False,
        ),
    ] = None,
    folder: FolderOption = None,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """List pictures that are there more than once, and which of them to keep. Deletes nothing."""
    from clipsearch.cli.locate import find_index
    from clipsearch.cli.progress import shown_count
    from clipsearch.query.index import Index

    if threshold is not None and level is Level.bytes:
        raise UsageError("--threshold goes with --level near; add that, or leave the threshold out.")
    if threshold is not None and not 0 < threshold <= 1:
        raise UsageError(f"--threshold is {threshold}; give a cosine above 0 and up to 1, such as 0.95.")
    # JSON that scrolls by above a bar would be cut into lines of the terminal's width.
    watched = level is Level.near and not (json and sys.stdout.isatty())
    with Index(find_index(index)) as opened, shown_count("comparing") if watched else nullcontext() as progress:
        found = _Counted(
            opened.duplicates(level.value, threshold=threshold, where=filter_from(folder=folder), progress=progress)
        )
        if json:
            _print_json(found, {"index": str(opened.path), "level": level.value, "threshold": threshold})
        elif sys.stdout.isatty():
            _print_groups(found)
        else:
            _print_lines(found)
    if not json:
        print(found.summary(), file=sys.stderr)


class _Counted:
    """Passes groups on and counts them."""

    def __init__(self, groups: Iterable[DuplicateGroup]) -> None:
        self._found = groups
        self.groups = self.spare = self.spare_bytes = 0

    def __iter__(self) -> Iterator[DuplicateGroup]:
        for group in self._found:
            self.groups += 1
            self.spare += len(group.also)
            self.spare_bytes += group.spare_bytes
            yield group

    def summary(self) -> str:
        from clipsearch.cli.render import plural, size

        if not self.groups:
            return "No duplicates."
        pictures = plural(self.groups + self.spare, "picture")
        spare = f"{self.spare:,} of them ({size(self.spare_bytes)}) could go"
        return f"{plural(self.groups, 'group')} of {pictures}; {spare}. Nothing was deleted."


def _print_groups(groups: Iterable[DuplicateGroup]) -> None:
    """Groups with an empty line between them, for a person."""
    from clipsearch.cli.render import one_line, size

    for group in groups:
        for role, copy, similarity in _rows(group):
            print(f"{role}  {similarity:5}  {_dimensions(copy):>11}  {size(copy.bytes):>7}  {one_line(copy.path)}")
        print()


def _print_lines(groups: Iterable[DuplicateGroup]) -> None:
    """Tab-separated lines, for a program."""
    from clipsearch.cli.render import one_line

    print("group\trole\tsimilarity\tsize\tbytes\tpath")
    for number, group in enumerate(groups, 1):
        for role, copy, similarity in _rows(group):
            print(f"{number}\t{role}\t{similarity}\t{_dimensions(copy)}\t{copy.bytes}\t{one_line(copy.path)}")


def _rows(group: DuplicateGroup) -> Iterator[tuple[str, Copy, str]]:
    yield "keep", group.keep, ""
    for copy in group.also:
        yield "also", copy, f"{copy.similarity:.3f}"


def _dimensions(copy: Copy) -> str:
    return f"{copy.width}x{copy.height}"


def _print_json(groups: _Counted, asked: dict[str, Any]) -> None:
    """One JSON object, written group by group: there may be very many."""
    import json
    from dataclasses import asdict

    print(json.dumps(asked)[:-1] + ', "groups": [', end="")
    for number, group in enumerate(groups):
        print("," if number else "", json.dumps(asdict(group)), sep="\n", end="")
    counts = {"groups": groups.groups, "spare": groups.spare, "spare_bytes": groups.spare_bytes}
    print(f'\n], "summary": {json.dumps(counts)}}}')
