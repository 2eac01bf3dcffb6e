"""Make the outline of the world's land that the page draws pictures on: `python data/make_land.py land-50m.json`.

The input is `land-50m.json` of the npm package world-atlas (2.0.2, ISC licence), TopoJSON made from Natural Earth's
1:50m land polygons, which are in the public domain. The output is a JSON list of closed rings; each holds the
longitude and latitude of its first point and then the steps to the next, in fiftieths of a degree.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

LAND = Path(__file__).parents[1] / "ui/clipsearch_ui/detail/land.json"
TOLERANCE = 0.08  # degrees a line may lie beside the true one: a pixel where 40 degrees are 500 pixels wide
UNITS = 50  # a degree

Point = tuple[float, float]


def rings(topology: dict[str, Any]) -> Iterator[list[Point]]:
    """The rings of all polygons, holes too, as (longitude, latitude) in degrees; the last point is the first again, or
    the same on the other side of the date line."""
    arcs = [list(points(topology, arc)) for arc in topology["arcs"]]
    for geometry in topology["objects"]["land"]["geometries"]:
        for polygon in geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]:
            for ring in polygon:
                joined: list[Point] = []
                for number in ring:
                    arc = arcs[number] if number >= 0 else arcs[~number][::-1]
                    joined += arc[1:] if joined else arc
                yield joined


def points(topology: dict[str, Any], arc: list[list[int]]) -> Iterator[Point]:
    """An arc's points in degrees; TopoJSON has steps on a grid."""
    (width, height), (left, bottom) = topology["transform"]["scale"], topology["transform"]["translate"]
    x = y = 0
    for right, up in arc:
        x, y = x + right, y + up
        yield x * width + left, y * height + bottom


def unbroken(ring: list[Point]) -> list[Point]:
    """A ring that goes on beyond 180 degrees where it leapt to the other side of the world. What goes all the way
    around, Antarctica, is closed along the pole."""
    leaps = [-round((b[0] - a[0]) / 360) * 360 for a, b in pairwise(ring)]
    whole = [(x + leap, y) for (x, y), leap in zip(ring, accumulate(leaps, initial=0), strict=True)]
    if whole[0] != whole[-1]:
        whole += [(whole[-1][0], -90.0), (whole[0][0], -90.0), whole[0]]
    return whole


def simplified(ring: list[Point]) -> list[Point]:
    """Fewer points, by the algorithm of Douglas and Peucker on the two halves of a ring."""
    middle = max(range(len(ring)), key=lambda i: math.dist(ring[i], ring[0]))
    kept, parts = {0, middle, len(ring) - 1}, [(0, middle), (middle, len(ring) - 1)]
    while parts:
        start, stop = parts.pop()
        inner = range(start + 1, stop)
        far = max(inner, key=lambda i: distance(ring[i], ring[start], ring[stop]), default=start)
        if distance(ring[far], ring[start], ring[stop]) > TOLERANCE:
            kept.add(far)
            parts += [(start, far), (far, stop)]
    return [ring[i] for i in sorted(kept)]


def distance(point: Point, start: Point, stop: Point) -> float:
    """How far a point is from a line, in degrees."""
    length = math.dist(start, stop)
    if not length:
        return math.dist(point, start)
    across = (point[0] - start[0]) * (stop[1] - start[1]) - (point[1] - start[1]) * (stop[0] - start[0])
    return abs(across) / length


def steps(ring: list[Point]) -> list[int]:
    """A ring as its first point and the steps to the next, in units."""
    grid = [(round(x * UNITS), round(y * UNITS)) for x, y in ring]
    grid = [grid[0], *(b for a, b in pairwise(grid) if a != b)]
    return [*grid[0], *(b - a for one, two in pairwise(grid) for a, b in zip(one, two, strict=True))]


def main(source: Path) -> None:
    """Convert one file."""
    found = (steps(simplified(unbroken(ring))) for ring in rings(json.loads(source.read_text("utf-8"))))
    land = [ring for ring in found if len(ring) >= 8]  # less has no area
    LAND.write_text(json.dumps(land, separators=(",", ":")), "utf-8")
    print(f"{LAND}: {len(land)} rings, {sum(map(len, land)) // 2:,} points, {LAND.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
