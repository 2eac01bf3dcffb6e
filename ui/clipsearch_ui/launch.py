"""Serve the page with Streamlit: to this machine, or to those who know a token."""

from __future__ import annotations

import re
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

import clipsearch
from clipsearch.errors import UsageError

_PAGE = Path(__file__).with_name("app.py")
_MAX_UPLOAD_MB = 50
_LOOPBACK = ("127.0.0.1", "localhost")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,}")


def launch(
    index: Path,
    *,
    port: int = 8501,
    host: str = "127.0.0.1",
    token: str | None = None,
    urls: bool = False,
    open_browser: bool,
) -> int:
    """Serve the page until interrupted; returns the exit status.

    Call it from the main thread, which receives the interrupt.

    Args:
        index: the index directory.
        port: where the page listens.
        host: the address it listens on.
        token: a secret without which nothing is served. Any host but this machine itself needs one, since whoever can
            reach the page sees every picture of the index.
        urls: let pictures to search by be fetched from the web.
        open_browser: open the page in the default browser.

    Raises:
        IndexNotFound: there is no index at `index`.
        IndexDamaged: it cannot be read.
        UsageError: the page cannot listen at this host and port, or needs a better token.
    """
    _require_token(host, token)
    with clipsearch.open(index) as opened:
        path = opened.path
    _require_free(host, port)

    import streamlit
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from streamlit import net_util

    from clipsearch_ui.duplicates.look import stop_looks
    from clipsearch_ui.engine import close_engines
    from clipsearch_ui.gate import Gate
    from clipsearch_ui.library import run
    from clipsearch_ui.map.routes import map_routes
    from clipsearch_ui.routes import picture_routes
    from clipsearch_ui.serving import Serving, serve

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
    # A page of another site, open in the same browser, may not reach this one under a name of its own.
    guards = [Middleware(TrustedHostMiddleware, allowed_hosts=_LOOPBACK)]
    if token is not None:
        guards = [Middleware(Gate, token=token)]
    # A secret is for others, be it through a proxy: what only the user at this machine may do is not for them.
    serving = Serving(path, local=host in _LOOPBACK and token is None, urls=urls)
    serve(serving)
    app = streamlit.App(_PAGE, routes=[*picture_routes(serving), *map_routes(serving)], middleware=guards)
    shown = f"http://{host}:{port}" + (f"/?token={token}" if token else "")
    print(f"Searching {path} at {shown} (stop with Ctrl-C)", flush=True)  # noqa: T201 - like a command
    sys.argv = [str(_PAGE)]  # where Streamlit looks for what it is to run
    signal.signal(signal.SIGTERM, _leave)  # the server passes on what stopped it, once it has said goodbye
    try:
        app.run(config=options)
    except KeyboardInterrupt:
        pass
    finally:
        run.stop()
        stop_looks()
        close_engines()
    return 0


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)


def _require_token(host: str, token: str | None) -> None:
    if token is None and host not in _LOOPBACK:
        raise UsageError(
            f"At {host} others could see every picture; choose a secret of at least eight letters, digits, - or _ and "
            "give it with --token."
        )
    if token is not None and not _TOKEN.fullmatch(token):
        raise UsageError("The token must be at least eight letters, digits, - or _; choose another.")


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
