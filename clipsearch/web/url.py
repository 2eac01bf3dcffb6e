"""Addresses of the web, as a user types or a server sends them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from clipsearch.errors import QueryError

_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_KEPT = "%/:=&?~+!$,;'@()*[]"
"""What may stand in a path and a query as it is, beside letters and digits."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is on the web, in ASCII.

    Attributes:
        secure: whether it is reached by https.
        host: a name or an IP address, without brackets.
        port: 0..65535.
        target: path and query, as a request names them.
    """

    secure: bool
    host: str
    port: int
    target: str

    @property
    def host_and_port(self) -> str:
        """As the `Host` header has it: the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"


def place_of(url: str) -> Place:
    """Read an address.

    Raises:
        QueryError: it is none of http or https, has a password in it, or is not well formed.
    """
    url = url.strip()
    if _CONTROL.search(url):
        raise _refused()
    try:
        parts = urlsplit(url)
        # What a name of other letters is called in the domain name system, RFC 3490.
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port
        target = quote(parts.path or "/", _KEPT) + (f"?{quote(parts.query, _KEPT)}" if parts.query else "")
    except ValueError:
        raise _refused() from None
    if parts.scheme not in _PORTS or not host or " " in host:
        raise _refused()
    if parts.username is not None or parts.password is not None:
        raise QueryError("The address has a user name in it, which is not sent anywhere; leave it out.")
    usual = _PORTS[parts.scheme]
    return Place(parts.scheme == "https", host, usual if port is None else port, target)


def _refused() -> QueryError:
    return QueryError("This is no address of the web; copy one that begins with https:// or http://.")
