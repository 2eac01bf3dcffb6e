"""Serve the page with Streamlit, on this machine and for this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import clipsearch
from clipsearch.errors import UsageError

_PAGE = Path(__file__).with_name("page.py")
_MAX_UPLOAD_MB = 50


def launch(index: Path, *, port: int = 8501, host: str = "127.0.0.1", open_browser: bool) -> int:
    """Serve the page until interrupted; returns the exit status.

    Call it from the main thread, which receives the interrupt.

    Args:
        index: the index directory.
        port: where the page listens.
        host: the address it listens on. Whoever can reach it can see every picture of the index.
        open_browser: open the page in the default browser.

    Raises:
        IndexNotFound: there is no index at `index`.
        IndexDamaged: it cannot be read.
        UsageError: the page cannot listen at this host and port.
    """
    with clipsearch.open(index) as opened:
        path = opened.path
    _require_free(host, port)

    from streamlit import net_util
    from streamlit.web import cli

    from clipsearch_ui.engine import open_engine

    # Streamlit asks a web service for the machine's public address when a page is opened under a name it does not
    # know. Nothing leaves this machine, so it gets no answer.
    net_util.get_external_ip = _no_public_address
    options = {
        "server.address": host,
        "server.port": port,
        "server.headless": not open_browser,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": _MAX_UPLOAD_MB,
        "server.showEmailPrompt": False,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "logger.hideWelcomeMessage": True,
    }
    flags = [f"--{name}={str(value).lower()}" for name, value in options.items()]
    print(f"Searching {path} at http://{host}:{port} (stop with Ctrl-C)", flush=True)  # noqa: T201 - like a command
    try:
        cli.main(["run", str(_PAGE), *flags, "--", str(path)], standalone_mode=False)
    finally:
        open_engine.clear()
    return 0


def _no_public_address() -> None:
    return None


def _require_free(host: str, port: int) -> None:
    """Streamlit would only log that the port is taken."""
    if not 0 < port < 65_536:
        raise UsageError(f"{port} is not a port; choose another, from 1 to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise UsageError(f"Cannot listen on {host}:{port} ({error}); choose another port or host.") from error
