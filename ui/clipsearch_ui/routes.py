"""Pictures over HTTP: those of the indexes served, those searched by, and nothing else.

An address names a picture by id and content hash, so what is behind it never changes and browsers keep it.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from textwrap import wrap
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clipsearch.errors import ClipsearchError, QueryError
from clipsearch_ui.engine import Engine, open_engine
from clipsearch_ui.serving import Serving

MAX_UPLOAD = 50 << 20
"""Bytes of a picture to search by."""

_KEPT = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
_NOT_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_LARGEST_ID = 2**63 - 1

_CARD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200" font-family="system-ui" font-size="15">
<rect width="300" height="200" fill="#8883"/>
<text x="150" y="{top}" text-anchor="middle" fill="#888">{lines}</text></svg>"""

Make = Callable[[Engine, dict[str, object]], Response]


def picture_routes(serving: Serving) -> list[Route]:
    """`/pictures/INDEX/` and then `thumbnails/ID/HASH`, `previews/ID/HASH`, `originals/ID/HASH` or `asked/HASH`; a
    picture posted to `/pictures/INDEX/asked` can be searched by; `/pictures/INDEX/version` says what is published."""

    def route(path: str, make: Make) -> Route:
        async def serve(request: Request) -> Response:
            return await run_in_threadpool(_answer, serving, make, request.path_params)

        return Route(f"/pictures/{{index}}/{path}", serve, methods=["GET"])

    async def ask(request: Request) -> Response:
        # A header of our own: a page of another site cannot send one without being asked first whether it may.
        if request.headers.get("x-clipsearch") != "ask":
            return JSONResponse({"error": "This is not the page of this server."}, 403)
        picture = bytearray()
        async for part in request.stream():
            picture += part
            if len(picture) > MAX_UPLOAD:
                return JSONResponse({"error": f"The picture has more than {MAX_UPLOAD >> 20} MB; use another."}, 413)
        return await run_in_threadpool(_keep, serving, request.path_params["index"], bytes(picture))

    return [
        route("thumbnails/{id:int}/{known_as}", _thumbnail),
        route("previews/{id:int}/{known_as}", _preview),
        route("originals/{id:int}/{known_as}", _original),
        route("asked/{known_as}", lambda engine, asked: _webp(engine.query_thumbnail(str(asked["known_as"])))),
        route("version", _version),
        Route("/pictures/{index}/asked", ask, methods=["POST"]),
    ]


def _answer(serving: Serving, make: Make, asked: dict[str, object]) -> Response:
    try:
        return make(served_engine(serving, str(asked["index"])), asked)
    except ClipsearchError as error:
        # A picture of the reason: browsers draw it where the thumbnail would be.
        return Response(_card(str(error)), 404, media_type="image/svg+xml", headers=_NOT_KEPT)


def _version(engine: Engine, asked: dict[str, object]) -> Response:
    engine.load_ahead()  # the page that asks has been drawn: nothing is in the model's way
    return JSONResponse({"version": engine.refresh()}, headers=_NOT_KEPT)


def _keep(serving: Serving, index: str, picture: bytes) -> Response:
    try:
        return JSONResponse({"picture": served_engine(serving, index).keep_query_picture(picture)})
    except ClipsearchError as error:
        return JSONResponse({"error": str(error)}, 400)


def served_engine(serving: Serving, key: str) -> Engine:
    """The engine of the index that an address names by its key.

    Raises:
        QueryError: this server has no such index.
    """
    path = serving.find(key)
    if path is None:
        raise QueryError("There is no such index on this server.")
    return open_engine(path)


def _thumbnail(engine: Engine, asked: dict[str, object]) -> Response:
    return _webp(engine.thumbnail(*_picture(asked)))


def _preview(engine: Engine, asked: dict[str, object]) -> Response:
    return _webp(engine.preview(*_picture(asked)))


def _original(engine: Engine, asked: dict[str, object]) -> Response:
    picture_id, known_as = _picture(asked)
    data = engine.original(picture_id, known_as)
    name = Path(str(engine.get(picture_id)["path"])).name
    told = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(data, media_type="application/octet-stream", headers=_KEPT | told)


def _picture(asked: dict[str, object]) -> tuple[int, str]:
    picture_id, known_as = int(str(asked["id"])), str(asked["known_as"])
    if picture_id > _LARGEST_ID:
        raise QueryError(f"There is no picture with id {picture_id} in this index.")
    return picture_id, known_as


def _webp(data: bytes) -> Response:
    return Response(data, media_type="image/webp", headers=_KEPT)


def _card(text: str) -> str:
    lines = wrap(text, 36)[:7]
    spans = "".join(f'<tspan x="150" dy="{20 if i else 0}">{escape(line)}</tspan>' for i, line in enumerate(lines))
    return _CARD.format(top=105 - 10 * (len(lines) - 1), lines=spans)
