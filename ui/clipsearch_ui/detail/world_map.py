"""A place on the outline of the world, drawn here: nothing is fetched from anywhere."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_LAND = Path(__file__).with_name("land.json")
"""What `data/make_land.py` made."""

_UNITS = 50  # of land.json, a degree
_COARSE = 40  # the shortest step of the outline of the whole world, in units

_NEAR_WIDTH, _NEAR_HEIGHT = 40, 24
"""Degrees of latitude that the map around a place is wide and high."""

_NARROWEST = 0.2
"""The least width of a degree of longitude beside one of latitude: near the poles it would shrink to nothing."""

# Greys that stand out from a light page as from a dark one.
_STYLE = (
    ".land{fill:#8889;fill-rule:evenodd}"
    ".pin{fill:#e5484d;stroke:#fff;stroke-width:2px;vector-effect:non-scaling-stroke}"
)

Ring = tuple[int, ...]


def place_in_words(latitude: float, longitude: float) -> str:
    """Degrees north or south, then east or west."""
    return (
        f"{abs(latitude):.5f}° {'N' if latitude >= 0 else 'S'}, {abs(longitude):.5f}° {'E' if longitude >= 0 else 'W'}"
    )


def world_map(latitude: float, longitude: float) -> str:
    """The whole world with a pin at a place in degrees, as SVG in units of a degree."""
    path = f'<path class="land" d="{_world()}" transform="scale({1 / _UNITS} {-1 / _UNITS})"/>'
    return _svg(-180, -84, 360, 168, path + _pin(longitude, -latitude, 5))


def near_map(latitude: float, longitude: float) -> str:
    """What lies around a place, with a pin there, as SVG in units of a degree of latitude."""
    narrow = max(math.cos(math.radians(latitude)), _NARROWEST)
    left = longitude * narrow - _NEAR_WIDTH / 2
    top = min(max(-latitude - _NEAR_HEIGHT / 2, -90), 90 - _NEAR_HEIGHT)
    bounds = (left / narrow, -top - _NEAR_HEIGHT, (left + _NEAR_WIDTH) / narrow, -top)
    path = "".join(map(_path, _around(*bounds)))
    scale = f"scale({narrow / _UNITS:.5f} {-1 / _UNITS})"
    drawn = f'<path class="land" d="{path}" transform="{scale}"/>{_pin(longitude * narrow, -latitude, 0.8)}'
    return _svg(left, top, _NEAR_WIDTH, _NEAR_HEIGHT, drawn)


@cache
def land() -> tuple[Ring, ...]:
    """The outlines of all land and of what water lies in it, closed: longitude and latitude of the first point, then
    the steps to the next, in fiftieths of a degree. What crosses the date line goes on beyond 180 degrees. A point is
    on land if an odd number of rings go around it."""
    return tuple(tuple(ring) for ring in json.loads(_LAND.read_text("utf-8")))


@cache
def _world() -> str:
    return "".join(_path(coarse) for ring in _around(-180, -90, 180, 90) if len(coarse := _coarser(ring)) >= 8)


def _coarser(ring: Ring) -> Ring:
    """A ring without steps shorter than a pixel of the world."""
    kept, right, up = list(ring[:2]), 0, 0
    for step in range(2, len(ring), 2):
        right, up = right + ring[step], up + ring[step + 1]
        if abs(right) + abs(up) >= _COARSE:
            kept += [right, up]
            right = up = 0
    return tuple(kept)


def _around(west: float, south: float, east: float, north: float) -> Iterator[Ring]:
    """The rings that reach into a window in degrees. Both may lie across the date line."""
    for turn in (-360, 0, 360):
        for ring, (left, bottom, right, top) in zip(land(), _boxes(), strict=True):
            if left + turn < east and right + turn > west and bottom < north and top > south:
                yield (ring[0] + turn * _UNITS, *ring[1:])


@cache
def _boxes() -> tuple[tuple[float, float, float, float], ...]:
    """West, south, east and north of each ring in degrees."""
    return tuple(_box(ring) for ring in land())


def _box(ring: Ring) -> tuple[float, float, float, float]:
    points = list(corners(ring))
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def corners(ring: Ring) -> Iterator[tuple[float, float]]:
    """The points of a ring as longitude and latitude in degrees."""
    x = y = 0
    for step in range(0, len(ring), 2):
        x, y = x + ring[step], y + ring[step + 1]
        yield x / _UNITS, y / _UNITS


def _path(ring: Ring) -> str:
    return f"M{ring[0]} {ring[1]}l{' '.join(map(str, ring[2:]))}z"


def _pin(x: float, y: float, radius: float) -> str:
    return f'<circle class="pin" cx="{x:.4f}" cy="{y:.4f}" r="{radius}"/>'


def _svg(left: float, top: float, width: float, height: float, drawn: str) -> str:
    box = f"{left:.3f} {top:.3f} {width} {height}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><style>{_STYLE}</style>{drawn}</svg>'
