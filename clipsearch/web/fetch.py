"""The bytes of a picture, fetched in such a way that nothing but the public web can be reached by it."""

from __future__ import annotations

import http.client
import ssl
import textwrap
import time
from http import HTTPStatus
from urllib.parse import urljoin

from clipsearch.errors import PictureError
from clipsearch.web.connection import Allowed, answered
from clipsearch.web.internet import on_the_web
from clipsearch.web.url import place_of

_REDIRECTS = 5
_ELSEWHERE = (301, 302, 303, 307, 308)
_PART = 1 << 16


def fetch_picture(url: str, *, limit: int, seconds: float = 10.0, allowed: Allowed = on_the_web) -> bytes:
    """The bytes at an http or https address, which may send on to another up to five times.

    A host is resolved once, all of its addresses must be allowed, and the connection goes to one of those that were
    looked at: a name that changes its meaning in between gains nothing. Certificates are verified; proxies, cookies
    and passwords are not used. Whether the bytes are a picture is not looked at.

    Args:
        url: the address of the picture.
        limit: how many bytes it may have.
        seconds: how long all of it may take.
        allowed: which addresses and ports may be connected to; by default those of the public web.

    Raises:
        QueryError: this is no address that may be fetched.
        PictureError: nothing came from there, or too slowly, or too much.
    """
    until = time.monotonic() + seconds
    try:
        for _ in range(1 + _REDIRECTS):
            with answered(place_of(url), until, allowed) as answer:
                onward = answer.headers["Location"] if answer.status in _ELSEWHERE else None
                if onward is None:
                    return _body(answer, limit)
                url = urljoin(url, onward)
    except TimeoutError:
        raise PictureError(
            "unreadable", f"The picture did not come within {seconds:g} seconds; try again, or save it and upload it."
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise PictureError(
            "unreadable", f"The site cannot prove that it is what it says ({error.verify_message}); use another."
        ) from None
    except http.client.IncompleteRead:
        raise PictureError("truncated", "The picture broke off on its way; try again.") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise PictureError(
            "unreadable", f"The picture cannot be fetched ({_said(error)}); check the address."
        ) from None
    raise PictureError("unreadable", "This address only ever sends on to another; use that of the picture itself.")


def _body(answer: http.client.HTTPResponse, limit: int) -> bytes:
    _require_a_file(answer)
    picture = bytearray()
    # `length` is what is still to come, where the site has said how much that is.
    while len(picture) + (answer.length or 0) <= limit:
        part = answer.read(min(_PART, limit + 1 - len(picture)))
        if part:
            picture += part
        elif answer.length:
            raise http.client.IncompleteRead(bytes(picture), answer.length)
        else:
            return bytes(picture)
    raise PictureError("too large", f"The picture has more than {limit / 2**20:.3g} MB; use a smaller one.")


def _require_a_file(answer: http.client.HTTPResponse) -> None:
    if answer.status != HTTPStatus.OK:
        gone = answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
        said = _short(f"{answer.status} {answer.reason}")
        raise PictureError(
            "missing" if gone else "unreadable",
            f"The site does not give the picture ({said}); check the address, or use another.",
        )
    if answer.headers.get_content_type() == "text/html":
        raise PictureError(
            "not a picture", "There is a web page at this address; copy the address of the picture itself."
        )
    # What unpacks to a thousand times its size cannot be told from its length, so nothing packed was asked for.
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise PictureError("unreadable", "The site sends the picture packed; save it and upload the file.")


def _said(error: Exception) -> str:
    return _short((error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__)


def _short(text: str) -> str:
    """Words of a server, which may be anything and any number, as part of a sentence."""
    return textwrap.shorten(text, 80)
