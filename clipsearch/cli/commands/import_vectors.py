"""`clipsearch import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipsearch.cli.options import (
    Device,
    DeviceOption,
    Engine,
    EngineOption,
    IndexOption,
    JsonOption,
    OfflineOption,
    ProgressKind,
    ProgressOption,
)

if TYPE_CHECKING:
    from clipsearch.types import ImportReport


def import_vectors(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Parquet files with a column of vectors, folders of them, or a folder that clip-retrieval wrote.",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="The model the vectors were made with, as for `clipsearch index`. An existing index has its own.",
            show_default=False,
        ),
    ] = None,
    index: IndexOption = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="The folder that paths of pictures are relative to.",
            show_default="that of the first source",
        ),
    ] = None,
    vector_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column with the vectors.", show_default="detected")
    ] = None,
    path_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column with the pictures' paths.", show_default="detected")
    ] = None,
    caption_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column with the captions.", show_default="detected")
    ] = None,
    device: DeviceOption = Device.auto,
    engine: EngineOption = Engine.auto,
    offline: OfflineOption = False,
    progress: ProgressOption = ProgressKind.auto,
    json: JsonOption = False,
) -> None:
    """Put vectors that were made elsewhere into an index: no picture is embedded, and only new ones are imported."""
    from clipsearch.cli.locate import place_index
    from clipsearch.cli.progress import shown_progress
    from clipsearch.known import remember
    from clipsearch_indexer import import_vectors

    place = place_index(index, sources[0])
    with shown_progress(progress) as listen:
        report = import_vectors(
            sources,
            place,
            model=model,
            device=device.value,
            engine=engine.value,
            offline=offline,
            pictures=pictures,
            vector_column=vector_column,
            path_column=path_column,
            caption_column=caption_column,
            progress=listen,
        )
    remember(place)
    _print(report, as_json=json)


def _print(report: ImportReport, *, as_json: bool) -> None:
    from dataclasses import asdict

    from clipsearch.cli.render import json_text

    print(json_text(asdict(report)) if as_json else "\n".join(_lines(report)))
    if report.interrupted:
        raise typer.Exit(130)


def _lines(report: ImportReport) -> list[str]:
    from clipsearch.cli.render import index_line, one_line, plural

    lines = [
        index_line(report),
        f"This run: {report.imported:,} imported, {report.known:,} known before, {report.repeated:,} repeated, "
        f"{report.failed:,} failed ({report.seconds:.1f} s).",
    ]
    if report.absent:
        lines.append(f"{plural(report.absent, 'picture')} of those imported cannot be read; list them: --where absent.")
    if report.recovered:
        lines.append(f"{plural(report.recovered, 'vector')} of an interrupted run did not have to be imported again.")
    if report.failed:
        lines.append("See what failed, and why, with `clipsearch failures`.")
    return [*lines, f"Index: {one_line(report.index)}"]
