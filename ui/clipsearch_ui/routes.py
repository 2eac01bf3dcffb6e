"""Pictures over HTTP: thumbnails, previews and originals of the index, and nothing else.

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
from starlette.responses import Response
from starlette.routing import Route

from clipsearch.errors import ClipsearchError, QueryError
from clipsearch_ui.engine import Engine, open_engine

_KEPT = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
_NOT_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_LARGEST_ID = 2**63 - 1

_CARD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200" font-family="system-ui" font-size="15">
<rect width="300" height="200" fill="#8883"/>
<text x="150" y="{top}" text-anchor="middle" fill="#888">{lines}</text></svg>"""

Make = Callable[[Engine, int, str], bytes]


def picture_routes(index: Path) -> list[Route]:
    """`/thumbnails/ID/HASH`, `/previews/ID/HASH` and `/originals/ID/HASH` of an index directory."""

    def route(name: str, make: Make, media_type: str) -> Route:
        async def serve(request: Request) -> Response:
            return await run_in_threadpool(_answer, index, make, request.path_params, media_type)

        return Route(f"/{name}/{{id:int}}/{{known_as}}", serve, methods=["GET"])

    return [
        route("thumbnails", Engine.thumbnail, "image/webp"),
        route("previews", Engine.preview, "image/webp"),
        route("originals", Engine.original, "application/octet-stream"),
    ]


def _answer(index: Path, make: Make, asked: dict[str, object], media_type: str) -> Response:
    picture_id, known_as = int(str(asked["id"])), str(asked["known_as"])
    try:
        if picture_id > _LARGEST_ID:
            raise QueryError(f"There is no picture with id {picture_id} in this index.")
        engine = open_engine(index)
        data = make(engine, picture_id, known_as)
    except ClipsearchError as error:
        # A picture of the reason: browsers draw it where the thumbnail would be.
        return Response(_card(str(error)), 404, media_type="image/svg+xml", headers=_NOT_KEPT)
    headers = dict(_KEPT)
    if media_type == "application/octet-stream":
        name = Path(str(engine.get(picture_id)["path"])).name
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(data, media_type=media_type, headers=headers)


def _card(text: str) -> str:
    lines = wrap(text, 36)[:7]
    spans = "".join(f'<tspan x="150" dy="{20 if i else 0}">{escape(line)}</tspan>' for i, line in enumerate(lines))
    return _CARD.format(top=105 - 10 * (len(lines) - 1), lines=spans)
