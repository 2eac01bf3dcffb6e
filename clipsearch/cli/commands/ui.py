"""`clipsearch ui`."""

from __future__ import annotations

from typing import Annotated

import typer

from clipsearch.cli.options import IndexOption


def ui(
    index: IndexOption = None,
    port: Annotated[int, typer.Option(metavar="N", min=1, max=65535, help="Port to listen on.")] = 8501,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> None:
    """Open the search page in a browser; it is served to this machine only."""
    from clipsearch.cli.locate import find_index
    from clipsearch_ui.launch import launch

    raise typer.Exit(launch(find_index(index), port=port, open_browser=browser))
