"""Options that say which of the found pictures are listed, in which order, and where one page ends."""

from __future__ import annotations

from typing import Annotated

import typer

CountOption = Annotated[int, typer.Option("-k", metavar="N", min=1, help="How many pictures.")]
UniqueOption = Annotated[
    bool, typer.Option("--unique", help="Of several copies of one picture, resized or saved again, list the best.")
]
GroupByOption = Annotated[
    str | None,
    typer.Option(
        metavar="folder|day|COLUMN",
        help="List only the best of each folder, of each day, or of each value of a column such as camera.",
        show_default=False,
    ),
]
SortOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN[:asc]",
        help="Order the relevant pictures by a column, the greatest or latest first; :asc turns it round.",
        show_default=False,
    ),
]
DiversityOption = Annotated[
    float,
    typer.Option(metavar="X", min=0, max=1, help="How much each picture should differ from those before it, 0 to 1."),
]
AllOption = Annotated[bool, typer.Option("--all", help="List pictures that are not relevant, too.")]
PageOption = Annotated[
    str | None,
    typer.Option(metavar="CURSOR", help="Go on where the page before ended, all else the same.", show_default=False),
]
PathsOption = Annotated[bool, typer.Option("--paths", help="Print paths only, one a line.")]
NullOption = Annotated[bool, typer.Option("--null", "-0", help="Print paths only, each ended by NUL, for xargs -0.")]
