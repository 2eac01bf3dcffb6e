"""The map over HTTP: its points as numbers, window by window, and what its pictures are called."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clipsearch.errors import ClipsearchError, QueryError
from clipsearch_ui.engine import Engine
from clipsearch_ui.map.chart import Chart, Window, chart_of
from clipsearch_ui.map.colours import Classes, colouring
from clipsearch_ui.routes import served_engine
from clipsearch_ui.search.tiles import Tile
from clipsearch_ui.serving import Serving

MOST_POINTS = 50_000
MOST_PICTURES = 200

_NOT_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_FINEST = 65_535


def map_routes(serving: Serving) -> list[Route]:
    """`/pictures/INDEX/map/VERSION?within=LEFT,TOP,RIGHT,BOTTOM&colour=COLUMN`, see `packed`, and
    `/pictures/INDEX/on-map?ids=ID,ID`: what `Tile.plain` says of pictures, in JSON."""

    async def points(request: Request) -> Response:
        return await run_in_threadpool(_points, serving, request)

    async def pictures(request: Request) -> Response:
        return await run_in_threadpool(_pictures, serving, request)

    return [
        Route("/pictures/{index}/map/{version:int}", points, methods=["GET"]),
        Route("/pictures/{index}/on-map", pictures, methods=["GET"]),
    ]


def packed(chart: Chart, classes: Classes, window: Window) -> bytes:
    """At most `MOST_POINTS` pictures of a window, an even sample of them, as numbers, little-endian.

    Six float64: the window's left, top, right and bottom, how many pictures follow, how many there are in it. Then
    their ids, float64; x and y, uint16 of the window's width and height; classes, uint8.
    """
    inside = chart.within(window)
    chosen = inside[:MOST_POINTS]
    x, y = chart.points[chosen].astype(np.float64).T
    head = np.array([*astuple(window), len(chosen), len(inside)], "<f8")
    return b"".join(
        [
            head.tobytes(),
            chart.ids[chosen].astype("<f8").tobytes(),
            _steps(x, window.left, window.right).tobytes(),
            _steps(y, window.top, window.bottom).tobytes(),
            classes[chosen].tobytes(),
        ]
    )


def _steps(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.uint16]:
    return np.round((values - low) / (high - low) * _FINEST).astype("<u2")


def _points(serving: Serving, request: Request) -> Response:
    try:
        engine = served_engine(serving, request.path_params["index"])
        chart = chart_of(engine.key, request.path_params["version"])
        if chart is None:
            raise QueryError("There is no such map on this server; open its page again.")
        window = _window(request.query_params.get("within"))
        classes = colouring(engine, chart, request.query_params.get("colour", "")).classes
        return Response(packed(chart, classes, window), media_type="application/octet-stream", headers=_NOT_KEPT)
    except ClipsearchError as error:
        return JSONResponse({"error": str(error)}, 404, headers=_NOT_KEPT)


def _pictures(serving: Serving, request: Request) -> Response:
    try:
        engine = served_engine(serving, request.path_params["index"])
        ids = _ids(request.query_params.get("ids", ""))
    except ClipsearchError as error:
        return JSONResponse({"error": str(error)}, 404, headers=_NOT_KEPT)
    tiles = [tile.plain() for picture in ids if (tile := _tile(engine, picture)) is not None]
    return JSONResponse(tiles, headers=_NOT_KEPT)


def _tile(engine: Engine, picture: int) -> Tile | None:
    try:
        return Tile.of(engine.get(picture), engine.key)
    except QueryError:  # gone since the map was made
        return None


def _window(given: str | None) -> Window:
    if given is None:
        return Window()
    try:
        left, top, right, bottom = (float(side) for side in given.split(","))
    except ValueError:
        left = top = right = bottom = 0.0
    if not (-2 <= left < right <= 2 and -2 <= top < bottom <= 2):
        raise QueryError("A window of the map is four numbers from -2 to 2: left, top, right and bottom.")
    return Window(left, top, right, bottom)


def _ids(given: str) -> list[int]:
    parts = given.split(",")[:MOST_PICTURES]
    if not all(part.isascii() and part.isdecimal() and len(part) <= 18 for part in parts):
        raise QueryError("Pictures of the map are asked for by their ids, with commas between.")
    return [int(part) for part in parts]
