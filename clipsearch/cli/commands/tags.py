"""`clipsearch tags`: words for pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipsearch.cli.options import Device, DeviceOption, Engine, EngineOption, IndexOption, JsonOption, OfflineOption
from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsearch.labels import Tag

_COLUMNS = ("tag", "standing", "score")


def tags(
    vocabulary: Annotated[
        str,
        typer.Option(metavar="LIST|FILE", help='Words to choose from: "cat,dog,bird", or a text file with one a line.'),
    ],
    pictures: Annotated[
        list[Path] | None, typer.Argument(metavar="[PICTURE]...", help="Picture files, in the index or not.")
    ] = None,
    ids: Annotated[
        list[int] | None,
        typer.Option("--id", metavar="ID", help="A picture of the index; repeatable.", show_default=False),
    ] = None,
    k: Annotated[int, typer.Option("-k", metavar="N", min=1, help="How many words for each picture.")] = 8,
    templates: Annotated[
        str,
        typer.Option(metavar="simple|openai|FILE", help="Sentences to put a word into, as for `clipsearch label`."),
    ] = "simple",
    index: IndexOption = None,
    device: DeviceOption = Device.auto,
    engine: EngineOption = Engine.auto,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    """Suggest words for pictures: those of a vocabulary that fit them better than other pictures of an index."""
    from clipsearch.cli.locate import find_index
    from clipsearch.cli.progress import shown_steps
    from clipsearch.labels import suggest_tags
    from clipsearch.labels.prompts import read_labels

    asked: list[Path | int] = [*(pictures or ()), *(ids or ())]
    if not asked:
        raise UsageError("Name a picture file, or a picture of the index by --id.")
    place, words = find_index(index), read_labels(vocabulary)
    with shown_steps() as tell:
        found = suggest_tags(
            place,
            asked,
            words,
            k=k,
            templates=templates,
            device=device.value,
            engine=engine.value,
            offline=offline,
            tell=tell,
        )
    if any(tag.standing is None for tag in found[0]):
        print("The index has too few pictures to tell what is usual; words are ordered by score.", file=sys.stderr)
    _print([str(one) for one in asked], found, as_json=json)


def _print(names: Sequence[str], found: Sequence[Sequence[Tag]], *, as_json: bool) -> None:
    from dataclasses import asdict

    from clipsearch.cli.render import json_text, print_table

    pairs = list(zip(names, found, strict=True))
    if as_json:
        print(
            json_text({"pictures": [{"picture": name, "tags": [asdict(tag) for tag in tags]} for name, tags in pairs]})
        )
        return
    rows = [
        [name, tag.word, "" if tag.standing is None else f"{tag.standing:.1f}", f"{tag.score:.3f}"]
        for name, tags in pairs
        for tag in tags
    ]
    many = len(pairs) > 1
    columns = ["picture", *_COLUMNS] if many else _COLUMNS
    print_table(columns, rows if many else [row[1:] for row in rows], right=_COLUMNS[1:])
