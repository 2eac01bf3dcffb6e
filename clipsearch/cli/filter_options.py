"""Options that choose among the indexed pictures, for every command that takes a filter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from clipsearch.errors import QueryError, UsageError

if TYPE_CHECKING:
    from clipsearch.query.filters import Filter

WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="SQL",
        help='Only pictures of which this DuckDB condition on their columns is true: "width > 2000 and caption ilike '
        "'%dog%'\".",
        show_default=False,
    ),
]
FolderOption = Annotated[
    str | None,
    typer.Option(
        "--folder",
        metavar="PATH",
        help="Only pictures in this folder and below it: inside a root, a root's name, or a folder of this machine.",
        show_default=False,
    ),
]
AfterOption = Annotated[
    str | None,
    typer.Option(
        "--after",
        metavar="DATE",
        help="Only pictures taken on this day or later: 2024, 2024-06, 2024-06-30 or 2024-06-30T18:00.",
        show_default=False,
    ),
]
BeforeOption = Annotated[
    str | None,
    typer.Option(
        "--before",
        metavar="DATE",
        help="Only pictures taken on this day or earlier; a day, month or year is included to its end.",
        show_default=False,
    ),
]
CameraOption = Annotated[
    str | None,
    typer.Option(
        "--camera", metavar="NAME", help="Only pictures by a camera with this in its name.", show_default=False
    ),
]
NearOption = Annotated[
    str | None,
    typer.Option(
        "--near",
        metavar="LAT,LON,KM",
        help="Only pictures taken within so many kilometres of a place: 48.14,11.58,20.",
        show_default=False,
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", metavar="NAME", help="Only pictures of this format: jpeg, png, webp.", show_default=False),
]
MinSizeOption = Annotated[
    str | None,
    typer.Option(
        "--min-size",
        metavar="WxH|N",
        help="Only pictures of at least this width and height, or with no side shorter than N pixels.",
        show_default=False,
    ),
]


def filter_from(
    *,
    where: str | None = None,
    folder: str | None = None,
    after: str | None = None,
    before: str | None = None,
    camera: str | None = None,
    near: str | None = None,
    format: str | None = None,  # noqa: A002 - the option is called so
    min_size: str | None = None,
) -> Filter:
    """Make a filter of the options as they were typed; it is false where none was.

    Raises:
        UsageError: one cannot be read, or makes no sense.
    """
    from clipsearch.query.filters import Filter

    try:
        return Filter(
            where=where,
            folder=folder,
            after=after,
            before=before,
            camera=camera,
            near=None if near is None else _place(near),
            format=format,
            min_size=None if min_size is None else _size(min_size),
        )
    except QueryError as error:
        raise UsageError(str(error)) from None


def _place(text: str) -> tuple[float, float, float]:
    try:
        latitude, longitude, km = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--near is {text!r}; give latitude, longitude and kilometres, as in --near 48.14,11.58,20."
        ) from None
    return latitude, longitude, km


def _size(text: str) -> int | tuple[int, int]:
    found = re.fullmatch(r"\s*(\d+)(?:\s*[x×]\s*(\d+))?\s*", text, re.IGNORECASE)  # noqa: RUF001 - so people write it
    if not found:
        raise UsageError(f"--min-size is {text!r}; give pixels, as in --min-size 1024 or --min-size 1920x1080.")
    return (int(found[1]), int(found[2])) if found[2] else int(found[1])
