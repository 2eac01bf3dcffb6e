"""Who may see anything: with a token only those who know it, checked before a page, picture or websocket is served."""

from __future__ import annotations

import hmac
from contextlib import suppress
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "clipsearch-token"

_FORM = """<!doctype html><html lang="en"><meta charset="utf-8"><title>clipsearch</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:1.1rem system-ui;max-width:24rem;margin:20vh auto;padding:0 1rem;color-scheme:light dark}}
input,button{{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;margin-top:.7rem}}</style>
<h1>clipsearch</h1><p>{word}</p>
<form><label>Token<input name="token" type="password" autofocus autocomplete="current-password"></label>
<button>Open</button></form></html>"""


class Gate:
    """ASGI middleware. The token comes as `?token=` once, then as a cookie that scripts cannot read."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, ask for the token, or close a websocket before it opens."""
        if scope["type"] == "lifespan" or self._is(_cookie(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._ask(scope, send)

    def _is(self, said: str) -> bool:
        # Compared in constant time: how long it takes must not tell how much of a guess is right.
        return hmac.compare_digest(said.encode(), self._token.encode())

    async def _ask(self, scope: Scope, send: Send) -> None:
        said = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        token = said.pop("token", None)
        if token is not None and self._is(token):
            cookie = f"{COOKIE}={self._token}; Path=/; HttpOnly; SameSite=Strict"
            # One slash: two would lead to another site. Quoted: a line break would begin another header.
            place = f"/{quote(scope['path'].lstrip('/'))}" + (f"?{urlencode(said)}" if said else "")
            await _reply(send, 303, b"", [(b"location", place.encode()), (b"set-cookie", cookie.encode())])
        else:
            word = "That is not the token." if token is not None else "This page is for those who have its token."
            await _reply(send, 401, _FORM.format(word=escape(word)).encode(), [])


async def _reply(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    always = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": [*always, *headers]})
    await send({"type": "http.response.body", "body": body})


def _cookie(scope: Scope) -> str:
    for name, value in scope.get("headers", ()):
        if name == b"cookie":
            with suppress(CookieError):
                if found := SimpleCookie(value.decode("latin-1")).get(COOKIE):
                    return found.value
    return ""
