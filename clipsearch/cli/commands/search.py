"""`clipsearch search`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipsearch.cli.options import Device, DeviceOption, IndexOption, JsonOption, OfflineOption
from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from clipsearch.query.index import Index
    from clipsearch.types import Hit


def search(
    text: Annotated[str | None, typer.Argument(help="What the picture shows.", show_default=False)] = None,
    k: Annotated[int, typer.Option("-k", metavar="N", min=1, help="How many pictures.")] = 10,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|-", help="A picture to resemble; - reads it from standard input.", show_default=False
        ),
    ] = None,
    like: Annotated[
        int | None, typer.Option(metavar="ID", help="An indexed picture to resemble.", show_default=False)
    ] = None,
    json: JsonOption = False,
    paths: Annotated[bool, typer.Option("--paths", help="Print paths only, one a line.")] = False,
    null: Annotated[
        bool, typer.Option("--null", "-0", help="Print paths only, each ended by NUL, for xargs -0.")
    ] = False,
    index: IndexOption = None,
    device: DeviceOption = Device.auto,
    offline: OfflineOption = False,
) -> None:
    """Find pictures by text, by picture, or by both together."""
    from clipsearch.cli.locate import find_index
    from clipsearch.query.index import Index

    if json and (paths or null):
        raise UsageError("--json and --paths exclude each other; choose one.")
    if text is None and image is None and like is None:
        raise UsageError('Nothing is asked; give a text, --image FILE or --like ID, as in: clipsearch search "a dog".')
    query = sys.stdin.buffer.read() if image == "-" else image
    with Index(find_index(index), device=device.value, offline=offline) as opened:
        hits = opened.search(text, k=k, image=query, like=like)
        if json:
            _print_json(opened, hits, {"text": text, "image": image, "like": like, "k": k})
        elif paths or null:
            print_paths(hits, end=b"\0" if null else b"\n")
        else:
            print_hits(hits)


def print_paths(hits: Sequence[Hit], *, end: bytes) -> None:
    """Paths as the bytes the file system knows, whatever their encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(b"".join(os.fsencode(hit.path) + end for hit in hits))
    sys.stdout.buffer.flush()


def print_hits(hits: Sequence[Hit]) -> None:
    """Score, id, path, caption and size of each hit."""
    from clipsearch.cli.render import print_table

    print_table(
        ["score", "id", "path", "caption", "size"],
        [[f"{hit.score:.3f}", hit.id, hit.path, hit.metadata["caption"], _dimensions(hit)] for hit in hits],
        right=["score", "id", "size"],
    )


def _dimensions(hit: Hit) -> str:
    return f"{hit.metadata['width']}x{hit.metadata['height']}"


def _print_json(index: Index, hits: Sequence[Hit], query: dict[str, Any]) -> None:
    from clipsearch.cli.render import json_text

    listed = [
        {"id": hit.id, "path": hit.path, "score": hit.score, "relative_path": hit.metadata["path"]}
        | {name: value for name, value in hit.metadata.items() if name not in ("id", "path")}
        for hit in hits
    ]
    asked = {name: value for name, value in query.items() if value is not None}
    print(json_text({"query": asked, "index": str(index.path), "hits": listed}))
