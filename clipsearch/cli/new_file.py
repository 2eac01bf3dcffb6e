"""A file that a command was told to make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from clipsearch.errors import UsageError


@contextmanager
def new_file(target: Path, option: str) -> Iterator[BinaryIO]:
    """A new file to write, which is gone again where writing it fails; `option` is what named it.

    Raises:
        UsageError: it is there already, or its folder is not.
    """
    path = target.expanduser()
    try:
        file = path.open("xb")
    except FileExistsError:
        raise UsageError(f"{target} is there already and stays as it is; name a new file after {option}.") from None
    except FileNotFoundError:
        raise UsageError(f"The folder of {target} is not there; make it first.") from None
    try:
        with file:
            yield file
    except BaseException:
        path.unlink()
        raise
