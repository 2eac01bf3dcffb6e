"""One request and the beginning of its answer, over a connection to an address that was looked at before."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, cast

from clipsearch import __version__
from clipsearch.errors import QueryError
from clipsearch.web.internet import Address
from clipsearch.web.url import Place

Allowed = Callable[[Address, int], bool]
"""Whether an address and a port may be connected to."""

_REQUEST = (
    "GET {target} HTTP/1.1\r\n"
    "Host: {host}\r\n"
    "User-Agent: clipsearch/{version}\r\n"
    "Accept: image/*, */*;q=0.5\r\n"
    "Accept-Encoding: identity\r\n"
    "Connection: close\r\n\r\n"
)


@contextmanager
def answered(place: Place, until: float, allowed: Allowed) -> Iterator[http.client.HTTPResponse]:
    """The answer of a place, read as far as its headers.

    Args:
        place: what is asked for.
        until: the moment of `time.monotonic` at which all must have come.
        allowed: which addresses may be connected to.

    Raises:
        QueryError: an address of the host is not allowed.
        TimeoutError: it is too late; also raised while the answer is read on.
        OSError: the host is not known or cannot be reached.
        HTTPException: what came is no answer.
    """
    with _connected(place, until, allowed) as connection:
        request = _REQUEST.format(target=place.target, host=place.host_and_port, version=__version__)
        connection.settimeout(_left(until))
        connection.sendall(request.encode("ascii"))
        # All that http.client asks of a socket is to make a file of it.
        incoming = cast(socket.socket, _Incoming(connection, until))
        with closing(http.client.HTTPResponse(incoming, method="GET")) as answer:
            answer.begin()
            yield answer


@contextmanager
def _connected(place: Place, until: float, allowed: Allowed) -> Iterator[socket.socket]:
    """A connection to one of the host's addresses, encrypted where the place asks for it."""
    found = _resolved(place, until)
    if not all(allowed(ip_address(str(address[0]).partition("%")[0]), place.port) for *_, address in found):
        raise QueryError(
            f"{place.host_and_port} is not on the public web, and pictures are fetched from nowhere else; use another "
            "address, or save the picture and upload it."
        )
    with _first_that_answers(found, until) as connection:
        if not place.secure:
            yield connection
            return
        connection.settimeout(_left(until))
        name = place.host.rstrip(".")
        with ssl.create_default_context().wrap_socket(connection, server_hostname=name) as secured:
            yield secured


def _resolved(place: Place, until: float) -> list[Any]:
    """What the system's resolver knows of a host: it takes its time, and cannot be told how much it may."""
    answers: SimpleQueue[list[Any] | Exception] = SimpleQueue()

    def resolve() -> None:
        try:
            answers.put(socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM))
        except Exception as error:  # raised where somebody waits for it
            answers.put(error)

    Thread(target=resolve, name="resolve", daemon=True).start()
    try:
        found = answers.get(timeout=_left(until))
    except Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found


def _first_that_answers(found: list[Any], until: float) -> socket.socket:
    refused = OSError("the host has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(found):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(until) / (len(found) - tried))
            connection.connect(address)
        except OSError as error:
            connection.close()
            refused = error
        else:
            return connection
    raise refused


class _Incoming(io.RawIOBase):
    """What comes over a connection until a moment, however slowly it drips."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection, self._until = connection, until

    def makefile(self, _mode: str) -> io.BufferedIOBase:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self._until))
        return self._connection.recv_into(buffer)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
