"""`clipsearch export`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from clipsearch.cli.filter_options import (
    AfterOption,
    BeforeOption,
    CameraOption,
    FolderOption,
    FormatOption,
    MinSizeOption,
    NearOption,
    WhereOption,
    filter_from,
)
from clipsearch.cli.options import IndexOption, JsonOption


class FloatKind(StrEnum):
    """The type of the numbers of a vector."""

    float16 = "float16"
    float32 = "float32"


def export(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="TARGET",
            help="A new FILE.parquet or FILE.arrow, or a new folder for .npy and Parquet in clip-retrieval's layout.",
        ),
    ],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="NAME",
            help="A column to write beside id, path and vector, or '*' for every one; repeatable.",
            show_default=False,
        ),
    ] = None,
    dtype: Annotated[FloatKind, typer.Option("--dtype", help="The type of the numbers.")] = FloatKind.float16,
    where: WhereOption = None,
    folder: FolderOption = None,
    after: AfterOption = None,
    before: BeforeOption = None,
    camera: CameraOption = None,
    near: NearOption = None,
    format: FormatOption = None,  # noqa: A002 - the option is called so
    min_size: MinSizeOption = None,
    index: IndexOption = None,
    json: JsonOption = False,
) -> None:
    """Write the vectors of an index, with id, path and chosen columns, for other programs."""
    from dataclasses import asdict

    from clipsearch.cli.locate import find_index
    from clipsearch.cli.progress import shown_count
    from clipsearch.cli.render import json_text, one_line, plural
    from clipsearch.query.index import Index

    wanted = filter_from(
        where=where,
        folder=folder,
        after=after,
        before=before,
        camera=camera,
        near=near,
        format=format,
        min_size=min_size,
    )
    with Index(find_index(index)) as opened, shown_count("exporting") as shown:
        report = opened.export(target, where=wanted, columns=columns or (), dtype=dtype.value, progress=shown)
    if json:
        print(json_text(asdict(report)))
        return
    print(
        f"{plural(report.pictures, 'vector')} of {report.dim} numbers ({report.dtype}), made with {report.model}, in "
        f"{plural(report.files, 'file')}: {one_line(report.path)}"
    )
