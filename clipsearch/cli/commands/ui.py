"""`clipsearch ui`."""

from __future__ import annotations

from typing import Annotated

import typer

from clipsearch.cli.options import IndexOption


def ui(
    index: IndexOption = None,
    port: Annotated[int, typer.Option(metavar="N", min=1, max=65535, help="Port to listen on.")] = 8501,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; any other needs --token.")
    ] = "127.0.0.1",
    token: Annotated[str | None, typer.Option(metavar="SECRET", help="Serve only those who know this secret.")] = None,
    fetch_urls: Annotated[
        bool,
        typer.Option(
            "--fetch-urls",
            help="Let pictures to search by be fetched from the web, by their address; nothing is fetched otherwise.",
        ),
    ] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> None:
    """Open the search page in a browser; without --host and --token it is served to this machine only."""
    from clipsearch.cli.locate import find_index
    from clipsearch.known import remember
    from clipsearch_ui.launch import launch

    place = find_index(index)
    remember(place)
    raise typer.Exit(launch(place, port=port, host=host, token=token, urls=fetch_urls, open_browser=browser))
