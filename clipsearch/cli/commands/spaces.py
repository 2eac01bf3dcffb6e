"""`clipsearch spaces`: the embedding spaces of an index, and `add`, `switch`, `drop`."""

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
    OfflineOption,
    ProgressKind,
    ProgressOption,
)
from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from clipsearch.types import SpaceReport

IndexArgument = Annotated[Path, typer.Argument(metavar="INDEX", help="The index directory.")]

spaces = typer.Typer(
    invoke_without_command=True, rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]}
)


@spaces.callback()
def listed(context: typer.Context, index: IndexOption = None, json: JsonOption = False) -> None:
    """List the embedding spaces of an index: whose vectors, which model, and which answer with which weight."""
    if context.invoked_subcommand is not None:
        return
    from dataclasses import asdict

    from clipsearch.cli.locate import find_index
    from clipsearch.cli.render import json_text, print_table
    from clipsearch.store.every_space import list_spaces

    found = list_spaces(find_index(index))
    if json:
        print(json_text({"spaces": [asdict(space) for space in found]}))
        return
    rows = [
        [
            s.name,
            s.of,
            s.model,
            s.dim,
            s.pictures,
            "" if s.weight is None else f"{s.weight:g}",
            "main" if s.main else "",
        ]
        for s in found
    ]
    titles = ["space", "of", "model", "dimensions", "pictures", "weight", ""]
    print_table(titles, rows, right=["dimensions", "pictures", "weight"])


@spaces.command(epilog="Example: clipsearch spaces add photos.index --model ViT-B-16-SigLIP2/webli")
def add(
    index: IndexArgument,
    model: Annotated[str, typer.Option(metavar="MODEL", help="As for `clipsearch index`.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the space is called.", show_default="after its model")
    ] = None,
    device: DeviceOption = Device.auto,
    engine: EngineOption = Engine.auto,
    offline: OfflineOption = False,
    progress: ProgressOption = ProgressKind.auto,
    json: JsonOption = False,
) -> None:
    """Embed the pictures of an index with a further model, while searches go on as before."""
    from clipsearch.cli.locate import find_index
    from clipsearch.cli.progress import shown_progress
    from clipsearch_indexer import add_space

    place = find_index(index)
    with shown_progress(progress) as listen:
        report = add_space(
            place, model, name=name, device=device.value, engine=engine.value, offline=offline, progress=listen
        )
    _print_added(place, report, as_json=json)


@spaces.command(epilog="Example: clipsearch spaces switch photos.index mini=1 ViT-B-32-openai=0.5")
def switch(
    index: IndexArgument,
    answering: Annotated[
        list[str], typer.Argument(metavar="NAME[=WEIGHT]...", help="Spaces of pictures, the main one first.")
    ],
) -> None:
    """Say which spaces answer queries that name none, and with which weight; the first becomes the main one."""
    from clipsearch.cli.locate import find_index
    from clipsearch.cli.render import plural
    from clipsearch.store.switching import switch_spaces

    report = switch_spaces(find_index(index), _weights(answering))
    told = " and ".join(
        f"{name} ({weight:g})" if len(report.answering) > 1 else name for name, weight in report.answering
    )
    print(f"{told} {'answer' if len(report.answering) > 1 else 'answers'} from now on.")
    if report.lacking:
        lacking = plural(report.lacking, "picture")
        print(f"{lacking} are not in it yet; `clipsearch index` embeds what can be read.", file=sys.stderr)
    for name in report.carried:
        print(f"The columns of {name} were taken along; pictures that come later have none of them.", file=sys.stderr)
    for name in report.left:
        print(f"The columns of {name} stay behind: their names are taken there.", file=sys.stderr)


@spaces.command(epilog="Example: clipsearch spaces drop photos.index ViT-B-32-openai")
def drop(
    index: IndexArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A space that is not the main one.")],
) -> None:
    """Take a space out of an index; the others are not touched, and the pictures themselves neither."""
    from clipsearch.cli.locate import find_index
    from clipsearch.store.switching import drop_space

    drop_space(find_index(index), name)
    print(f"{name} left the index.")


def _weights(given: list[str]) -> dict[str, float]:
    """Names with weights, 1 where none is given.

    Raises:
        UsageError: a weight is no number, or a name is given twice.
    """
    weights: dict[str, float] = {}
    for one in given:
        name, equals, weight = one.partition("=")
        try:
            number = float(weight) if equals else 1.0
        except ValueError:
            raise UsageError(f"{one!r} has no number after the =; write it like {name}=0.5.") from None
        if name in weights:
            raise UsageError(f"{name} is named twice; give it one weight.")
        weights[name] = number
    return weights


def _print_added(index: Path, report: SpaceReport, *, as_json: bool) -> None:
    from dataclasses import asdict

    from clipsearch.cli.render import json_text
    from clipsearch.cli.space_report import space_lines

    if as_json:
        print(json_text(asdict(report)))
    else:
        print("\n".join(space_lines(report)))
        if not report.interrupted:
            print(f"Let it answer with `clipsearch spaces switch {index} {report.name}`.")
    if report.interrupted:
        raise typer.Exit(130)
