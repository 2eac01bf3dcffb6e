"""Write docs/cli.md from the commands' own help: `python docs/make_cli_reference.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from typer.testing import CliRunner

from clipsearch.cli.app import app

TARGET = Path(__file__).parent / "cli.md"
HEADER = """# Command line

Every command's `--help`, as it prints it. This page is made by `python docs/make_cli_reference.py`.

Exit codes: 0 done, 1 an error (one sentence on standard error says what and what to do), 2 wrong usage, 130 interrupted
(what was done is kept). Progress bars go to standard error and only to a terminal.
"""


def reference() -> str:
    """The whole page, in Markdown."""
    runner = CliRunner()
    pages = [[], *_pages(typer.main.get_command(app), [])]
    text = HEADER
    for page in pages:
        result = runner.invoke(
            app, [*page, "--help"], prog_name="clipsearch", env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}
        )
        text += f"\n## {' '.join(['clipsearch', *page])}\n\n```text\n{result.output.strip()}\n```\n"
    return text


def _pages(group: Any, above: list[str]) -> Iterator[list[str]]:
    """The words that call each command of a group, and those of groups within it."""
    for name, command in sorted(group.commands.items()):
        yield [*above, name]
        if hasattr(command, "commands"):
            yield from _pages(command, [*above, name])


if __name__ == "__main__":
    TARGET.write_text(reference())
