"""Real servers on this machine that answer as a test wants, and remember what they were asked."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread

import pytest

Answer = Callable[[socket.socket, str], None]


@dataclass
class Server:
    """Where a server listens, the requests it has got, and how many connections it has taken."""

    host: str
    port: int
    requests: list[str] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"http://{host or self.host}:{self.port}{path}"


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server: `serve(answer, host)`. `answer` is what it sends, or a function that does."""
    with ExitStack() as started:
        yield lambda answer, host="127.0.0.1", tls=None: started.enter_context(_served(answer, host, tls))


def reply(body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """A whole answer."""
    said = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return ("\r\n".join(said) + "\r\n\r\n").encode("latin-1") + body


@contextmanager
def _served(answer: bytes | Answer, host: str, tls: ssl.SSLContext | None) -> Iterator[Server]:
    with socket.create_server((host, 0)) as listening:
        server = Server(host, listening.getsockname()[1])
        Thread(target=_listen, args=(listening, server, answer, tls), daemon=True).start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)


def _listen(listening: socket.socket, server: Server, answer: bytes | Answer, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            server.connections += 1
            Thread(target=_talk, args=(connection, server, answer, tls), daemon=True).start()


def _talk(connection: socket.socket, server: Server, answer: bytes | Answer, tls: ssl.SSLContext | None) -> None:
    # The other side may hang up at any moment: that is what many tests are about.
    with suppress(OSError), tls.wrap_socket(connection, server_side=True) if tls else connection as talking:
        request = b""
        while b"\r\n\r\n" not in request:
            request += talking.recv(4096) or b"\r\n\r\n"
        server.requests.append(request.decode("ascii"))
        if callable(answer):
            answer(talking, server.requests[-1])
        else:
            talking.sendall(answer)
