"""`clipsearch bench index`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from clipsearch.cli.options import Device, DeviceOption, Engine, JsonOption, OfflineOption
from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from clipsearch_indexer.bench import IndexBench


def bench_index(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...", help="Pictures to index, as for `clipsearch index`.", show_default="they are made"
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL", help="As for `clipsearch index`; repeatable.", show_default="mini"),
    ] = None,
    engine: Annotated[
        list[Engine] | None,
        typer.Option("--engine", help="As for `clipsearch index`; repeatable.", show_default="all that run the model"),
    ] = None,
    device: DeviceOption = Device.auto,
    pictures: Annotated[int, typer.Option(metavar="N", min=1, help="How many pictures to make.")] = 300,
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WxH",
            help="Size in pixels of the JPEGs that are made; repeatable.",
            show_default="640x480, 1920x1080 and 4000x3000, a third each",
        ),
    ] = None,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    """Index pictures with each engine, from files to a published index, and say how quick that was."""
    from dataclasses import asdict

    from clipsearch.cli.progress import shown_steps
    from clipsearch.cli.render import json_text
    from clipsearch_indexer.bench import SIZES, bench_index

    with shown_steps() as tell:
        rows = bench_index(
            sources or (),
            models=model or ("mini",),
            engines=[one.value for one in engine or ()],
            device=device.value,
            pictures=pictures,
            sizes=[_size(one) for one in size] if size else SIZES,
            offline=offline,
            tell=tell,
        )
    if json:
        print(json_text({"runs": [asdict(row) for row in rows]}))
    else:
        _print(rows)


def _size(given: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", given.strip().lower())
    if match is None:
        raise UsageError(f"--size is {given!r}; give width and height in pixels, like 640x480.")
    return int(match[1]), int(match[2])


def _print(rows: list[IndexBench]) -> None:
    from clipsearch.cli.render import print_table, size

    columns = ("model", "engine", "pictures", "images/s", "fed arrays", "share", "memory", "worst cosine", "median")
    cells = [
        (
            row.model,
            row.engine,
            f"{row.pictures:,}",
            f"{row.images_per_second:.1f}",
            f"{row.fed:.1f}",
            f"{row.share:.0%}",
            size(row.peak_memory) if row.peak_memory else "unknown",
            f"{row.cosine_least:.5f}",
            f"{row.cosine_median:.5f}",
        )
        for row in rows
    ]
    print_table(columns, cells, right=columns[2:])
    print()
    for row in rows:
        print(f"{row.model}, {row.engine}: {row.timing.bottleneck}")
