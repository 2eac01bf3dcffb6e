"""Options that say what is searched for, and the query they make."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from clipsearch.query.terms import Query, Term

TextArgument = Annotated[str | None, typer.Argument(help="What the picture shows.", show_default=False)]
PlusOption = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT[:WEIGHT]", help="What it shows as well: stripes:0.7.", show_default=False),
]
MinusOption = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT[:WEIGHT]", help="What to push away from: grass:0.4.", show_default=False),
]
NotOption = Annotated[
    list[str] | None,
    typer.Option("--not", metavar="TEXT", help="Leave out every picture relevant to this.", show_default=False),
]
ImageOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE[:WEIGHT]|-",
        help="A picture to resemble; - reads it from standard input. May be repeated, as all of these.",
        show_default=False,
    ),
]
LikeOption = Annotated[
    list[int] | None,
    typer.Option(metavar="ID", help="An indexed picture to move towards, itself left out.", show_default=False),
]
UnlikeOption = Annotated[
    list[int] | None,
    typer.Option(metavar="ID", help="An indexed picture to move away from, itself left out.", show_default=False),
]
NoTemplatesOption = Annotated[
    bool, typer.Option("--no-templates", help="Take a bare concept word for word, not also as a caption puts it.")
]
QueriesOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Many queries at once: a text file with one a line.", show_default=False),
]
ImagesOption = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Many queries at once: every picture of a folder.", show_default=False),
]

_WEIGHTED = re.compile(r"(?P<what>.+):(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))", re.DOTALL)


def weighted(given: str) -> tuple[str, float]:
    """`stripes:0.7` as ("stripes", 0.7); what does not end in a colon and a number counts 1.

    A text that itself ends so is given its weight: `ratio 4:3:1` is "ratio 4:3".
    """
    found = _WEIGHTED.fullmatch(given)
    return (found["what"], float(found["weight"])) if found else (given, 1.0)


def query_from(
    text: str | None,
    plus: Sequence[str] | None,
    minus: Sequence[str] | None,
    images: Sequence[str] | None,
    unless: Sequence[str] | None,
) -> Query:
    """The query that was typed."""
    from clipsearch.query import terms

    asked: list[Term] = [] if text is None else [terms.text(text)]
    asked += [terms.text(*weighted(given)) for given in plus or ()]
    asked += [-terms.text(*weighted(given)) for given in minus or ()]
    asked += _pictures(images or ())
    return terms.Query(*asked, unless=unless or ())


def _pictures(given: Sequence[str]) -> Iterator[Term]:
    from clipsearch.query.terms import image

    for one in given:
        # A file may have a name that ends in a colon and a number.
        file, weight = (one, 1.0) if Path(one).expanduser().exists() else weighted(one)
        yield image(sys.stdin.buffer.read() if file == "-" else file, weight)


def many_from(queries: Path | None, images: Path | None) -> list[Query]:
    """Many queries: the lines of a file, or the pictures of a folder in the order of their names.

    Raises:
        UsageError: both are given, one cannot be read, or there is nothing in it.
    """
    from clipsearch.query.terms import Query, image, text

    if queries is not None and images is not None:
        raise UsageError("--queries and --images exclude each other; choose one.")
    lines = [] if queries is None else [line.strip() for line in _lines(queries)]
    files = [] if images is None else sorted(_picture_files(images))
    asked = [Query(text(line)) for line in lines if line] + [Query(image(str(file))) for file in files]
    if not asked:
        raise UsageError(f"There is nothing to ask in {queries or images}.")
    return asked


def _lines(file: Path) -> list[str]:
    try:
        return file.expanduser().read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{file} cannot be read as a text file in UTF-8; give one query a line.") from None


def _picture_files(folder: Path) -> Iterable[Path]:
    from PIL import Image

    if not folder.expanduser().is_dir():
        raise UsageError(f"{folder} is no folder; give one with pictures in it.")
    endings = Image.registered_extensions()
    return (file for file in folder.expanduser().iterdir() if file.suffix.lower() in endings and file.is_file())
