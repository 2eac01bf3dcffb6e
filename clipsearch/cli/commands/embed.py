"""`clipsearch embed`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from clipsearch.cli.new_file import new_file
from clipsearch.cli.options import Device, DeviceOption, Engine, EngineOption, OfflineOption
from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from clipsearch.types import Vectors


class Kind(StrEnum):
    """What is embedded."""

    text = "text"
    image = "image"


def embed(
    kind: Annotated[Kind, typer.Argument(metavar="text|image", help="What is embedded.")],
    items: Annotated[
        list[str],
        typer.Argument(
            metavar="ITEM...", help="Texts, or picture files; - reads them from standard input, one a line."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new .npy file.", show_default="standard output"),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="As for `clipsearch index`.", show_default="the default preset"),
    ] = None,
    device: DeviceOption = Device.auto,
    engine: EngineOption = Engine.auto,
    offline: OfflineOption = False,
) -> None:
    """Turn texts or pictures into vectors of a model: a NumPy array, float32 [n, dim], of length one."""
    from clipsearch.cli.progress import shown_count
    from clipsearch.cli.render import plural
    from clipsearch.models import load_encoder
    from clipsearch.query.encode import encode_pictures, encode_texts, write_npy

    if "-" in items and len(items) > 1:
        raise UsageError("- stands for all of standard input; give it alone, or leave it out.")
    total = 0 if items == ["-"] else len(items)
    with _destination(output) as target, shown_count("embedding") as shown:
        encoder = load_encoder(
            model or _default(offline=offline), device=device.value, engine=engine.value, offline=offline
        )
        if kind is Kind.text:
            parts = encode_texts(encoder, _texts() if items == ["-"] else items)
        else:
            parts = encode_pictures(encoder, _files() if items == ["-"] else items)
        rows = write_npy(target, _counted(parts, total, shown), encoder.dim)
        target.flush()
    print(f"{plural(rows, 'vector')} of {encoder.dim} numbers, made with {encoder.name}.", file=sys.stderr)


@contextmanager
def _destination(output: Path | None) -> Iterator[BinaryIO]:
    """Where the array goes. A new file that gets nothing leaves no trace.

    Raises:
        UsageError: the file is there already or its folder is not; or it would go to a terminal.
    """
    if output is None:
        if sys.stdout.isatty():
            raise UsageError("An array is nothing for a terminal; add `> vectors.npy`, or --output vectors.npy.")
        yield sys.stdout.buffer
        return
    with new_file(output, "--output") as file:
        yield file


def _default(*, offline: bool) -> str:
    from clipsearch.models import choose_default

    choice = choose_default(offline=offline)
    if choice.instead:
        print(choice.instead, file=sys.stderr)
    return choice.name


def _texts() -> Iterator[str]:
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise UsageError(f"Line {number} of standard input is not text in UTF-8; convert it first.") from None


def _files() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield os.fsdecode(line.rstrip(b"\r\n"))


def _counted(parts: Iterable[Vectors], total: int, shown: Callable[[int, int], None]) -> Iterator[Vectors]:
    done = 0
    for part in parts:
        done += len(part)
        shown(done, max(total, done))
        yield part
