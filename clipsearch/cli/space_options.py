"""Options that say which embedding spaces of an index answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from clipsearch.errors import UsageError

InOption = Annotated[
    list[str] | None,
    typer.Option(
        "--in",
        metavar="SPACE",
        help="The embedding space to ask, as `clipsearch spaces` lists them; several are fused.",
        show_default=False,
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="SPACE=W,...",
        help="Fuse these spaces with these weights: A=1,B=0.5.",
        show_default=False,
    ),
]


def spaces_from(names: Sequence[str] | None, weights: str | None) -> dict[str, float] | None:
    """The spaces to ask as they were typed, each with its weight, which is 1 where none is given; None for those that
    answer by default.

    Raises:
        UsageError: the weights cannot be read, or are of other spaces than those named.
    """
    if weights is None:
        return dict.fromkeys(names, 1.0) if names else None
    try:
        parts = [part.rpartition("=") for part in weights.split(",")]
        found = {name.strip(): float(weight) for name, _, weight in parts}
    except ValueError:
        found = {}
    if not found or "" in found:
        raise UsageError(f"--weights is {weights!r}; give spaces with numbers, as in --weights A=1,B=0.5.")
    if names and set(names) != set(found):
        raise UsageError(
            "--in and --weights name different spaces; give each space of --in a weight, or leave --in out."
        )
    return found
