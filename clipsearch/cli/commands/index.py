"""`clipsearch index`."""

from __future__ import annotations

import sys
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
    MemoryOption,
    OfflineOption,
    ProgressKind,
    ProgressOption,
    RecallOption,
    bytes_of,
)
from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from clipsearch.types import IndexReport

_PIXELS = 200_000_000


def index(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Picture folders, Parquet files, folders of shards, or quoted globs."),
    ],
    index: IndexOption = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help="A preset (see `clipsearch models`), ARCHITECTURE/TAG, ARCHITECTURE:CHECKPOINT, hf-hub:ORG/NAME, "
            "hf:ORG/NAME or a model folder. An existing index keeps its own. Repeatable: several answer together, each "
            "in a space of its own (see `clipsearch spaces`).",
            show_default="the default preset",
        ),
    ] = None,
    embed_captions: Annotated[
        bool, typer.Option("--embed-captions", help="Embed captions, too, so that a picture finds them.")
    ] = False,
    device: DeviceOption = Device.auto,
    engine: EngineOption = Engine.auto,
    include: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Index only what matches, as in .gitignore; repeatable.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Leave out what matches, as in .gitignore; repeatable.")
    ] = None,
    image_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Parquet column with the pictures.", show_default="detected")
    ] = None,
    caption_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Parquet column with the captions.", show_default="detected")
    ] = None,
    keep_missing: Annotated[
        bool, typer.Option("--keep-missing", help="Keep pictures in the results whose files are gone.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes that decode.", show_default="one a core")
    ] = None,
    batch_size: Annotated[
        str, typer.Option(metavar="auto|N", help="Pictures a batch; a crash loses at most one batch.")
    ] = "auto",
    max_pixels: Annotated[
        int, typer.Option(metavar="N", min=1, help="Do not decode pictures with more pixels than this.")
    ] = _PIXELS,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Make small pictures for the page, too, from the same decode.")
    ] = False,
    publish_every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Show new pictures to searches this often during the run.")
    ] = 30.0,
    recall: RecallOption = None,
    memory: MemoryOption = None,
    offline: OfflineOption = False,
    profile: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a trace of the run to a new file, to be opened at https://ui.perfetto.dev.",
            show_default=False,
        ),
    ] = None,
    progress: ProgressOption = ProgressKind.auto,
    json: JsonOption = False,
) -> None:
    """Index pictures: only what is new or changed is embedded, what is gone leaves the results."""
    from clipsearch.cli.locate import place_index
    from clipsearch.cli.progress import shown_progress
    from clipsearch.known import remember
    from clipsearch_indexer import build

    place = place_index(index, sources[0])
    remember(place)
    with shown_progress(progress) as listen:
        report = build(
            sources,
            place,
            model=model,
            embed_captions=embed_captions,
            device=device.value,
            engine=engine.value,
            offline=offline,
            include=include or (),
            exclude=exclude or (),
            image_column=image_column,
            caption_column=caption_column,
            keep_missing=keep_missing,
            workers=workers,
            batch_size=_batch_size(batch_size),
            max_pixels=max_pixels,
            thumbnails=thumbnails,
            publish_every=publish_every,
            recall=recall,
            memory=bytes_of(memory),
            profile=profile,
            progress=listen,
        )
    print_report(report, as_json=json)


def _batch_size(given: str) -> int | None:
    if given == "auto":
        return None
    if given.isdecimal() and int(given) > 0:
        return int(given)
    raise UsageError(f"--batch-size is {given!r}; give `auto` or a number of pictures.")


def print_report(report: IndexReport, *, as_json: bool) -> None:
    """What a run did, for people or as JSON; ends the program with 130 where it was interrupted."""
    from dataclasses import asdict

    from clipsearch.cli.render import json_text

    if as_json:
        print(json_text(asdict(report)))
    else:
        print("\n".join(_lines(report)))
    for note in report.notes:
        print(f"\nPlease note: {note}", file=sys.stderr)
    if report.interrupted:
        raise typer.Exit(130)


def _lines(report: IndexReport) -> list[str]:
    from clipsearch.cli.render import index_line, plural, search_index, time_lines
    from clipsearch.cli.space_report import space_lines

    timing = report.timing
    rate = f", {timing.images_per_second:.0f} images/s" if timing else ""
    lines = [
        index_line(report),
        f"This run: {report.embedded:,} embedded, {report.reused:,} reused, {report.unchanged:,} unchanged, "
        f"{report.removed:,} removed, {report.failed:,} failed ({report.seconds:.1f} s{rate}).",
    ]
    if timing:
        lines += time_lines(timing)
    if report.recovered:
        lines.append(f"{plural(report.recovered, 'picture')} of an interrupted run did not have to be embedded again.")
    if report.trained:
        lines.append(f"Search index: {search_index(report.trained)}.")
    if report.failed:
        lines.append("See what failed, and why, with `clipsearch failures`.")
    lines += [line for space in report.spaces for line in space_lines(space)]
    lines += [f"{alias} is offline (missing or empty); its pictures are kept." for alias in report.offline_roots]
    return [*lines, f"Index: {_shown(report.index)}"]


def _shown(path: Path) -> str:
    from clipsearch.cli.render import one_line

    return one_line(path)
