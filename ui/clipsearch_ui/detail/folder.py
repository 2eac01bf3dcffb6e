"""Showing a picture's folder on the desktop of the machine that serves the page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from clipsearch.errors import QueryError

_PATIENCE = 2.0
"""Seconds in which a program that cannot show the folder says so; one that shows it may run on."""


def has_desktop(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this machine has a desktop to show a folder on."""
    if platform in ("darwin", "win32"):
        return True
    seen = bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    return seen and shutil.which("xdg-open", path=environment.get("PATH")) is not None


def command(file: Path, platform: str = sys.platform) -> list[str]:
    """What shows the folder of a file, with the file selected where the desktop can."""
    match platform:
        case "darwin":
            return ["open", "-R", str(file)]
        case "win32":
            return ["explorer", "/select,", str(file)]
        case _:
            return ["xdg-open", str(file.parent)]


def open_folder(file: Path) -> None:
    """Show the folder of an indexed file; `file` is absolute, so that no program takes it for an option.

    Raises:
        QueryError: the folder is not there, or no program shows it.
    """
    if not file.parent.is_dir():
        raise QueryError("The folder is not there any more; index it again where it is now.")
    try:
        program = subprocess.Popen(
            command(file),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        failed = program.wait(_PATIENCE) != 0
    except subprocess.TimeoutExpired:
        failed = False
    except OSError as error:
        raise QueryError(f"The folder cannot be shown ({error}); copy the path and open it yourself.") from error
    if failed and sys.platform != "win32":  # Explorer says 1 whatever it did
        raise QueryError("The desktop did not show the folder; copy the path and open it yourself.")
