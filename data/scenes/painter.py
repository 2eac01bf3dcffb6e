"""Paint a scene: background, things with shadows, weather."""

from random import Random

import numpy as np
from PIL import Image

from .canvas import Canvas
from .landscapes import PAINTERS
from .places import PLACES, Place
from .scene import Item, Scene
from .skies import light, weather_over
from .sprites import sprite
from .things import things

_SIZES = {"small": (0.17, 0.22), "medium": (0.32, 0.42), "big": (0.54, 0.66)}
Box = tuple[float, float, float, float]


def _cells(scene: Scene, rng: Random) -> list[Box]:
    """One box (x0, y0, x1, y1) in fractions for each item."""
    count = len(scene.items)
    if scene.layout == "stack":
        return [(0.08, 0.02, 0.92, 0.48), (0.08, 0.5, 0.92, 0.98)]
    if count > 1:
        return [(i / count + 0.015, 0.03, (i + 1) / count - 0.015, 0.97) for i in range(count)]
    spots: dict[str, Box] = {
        "left": (0.02, 0.04, 0.42, 0.96),
        "right": (0.58, 0.04, 0.98, 0.96),
        "middle": (0.27, 0.1, 0.73, 0.96),
        "top": (0.1, 0.02, 0.9, 0.45),
        "bottom": (0.1, 0.56, 0.9, 0.99),
    }
    return [spots.get(scene.spot, (0.03, 0.03, 0.97, 0.97))]


def _altitude(scene: Scene, place: Place, habitat: str, cell: Box, rng: Random) -> float:
    """Vertical centre of an item inside its cell: flyers high, others on the ground."""
    free = scene.layout == "stack" or (scene.spot in ("top", "bottom") and len(scene.items) == 1)
    if free or place.floating:
        return rng.uniform(0.35, 0.65) if free else rng.uniform(0.28, 0.72)
    if habitat == "air":
        return rng.uniform(0.18, 0.38)
    return rng.uniform(0.64, 0.78)


def _grid(count: int, wide: bool, rng: Random) -> list[tuple[float, float]]:
    """Centres of a group's members, in units of one member's size, around (0, 0)."""
    columns = {1: 1, 2: 2, 3: 3 if wide else 2, 4: 4 if wide else 2, 5: 3}.get(count, 4 if wide else 3)
    points = []
    for index in range(count):
        row, column = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        rows = -(-count // columns)
        points.append(
            (column - (in_row - 1) / 2 + rng.uniform(-0.08, 0.08), row - (rows - 1) / 2 + rng.uniform(-0.08, 0.08))
        )
    return points


def _extent(points: list[tuple[float, float]]) -> tuple[float, float]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return max(xs) - min(xs) + 1, max(ys) - min(ys) + 1


def _stamp(canvas: Canvas, scene: Scene, item: Item, centre: tuple[float, float], size: float, shadow: bool) -> None:
    """Draw one member at ``centre`` (pixels), its longer side about ``size`` pixels."""
    rng, source = canvas.rng, sprite(item.thing, item.colour)
    scale = size * rng.uniform(0.92, 1.05) / max(source.size)
    width, height = max(4, int(source.width * scale)), max(4, int(source.height * scale))
    image = source.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.6:
        image = image.rotate(rng.uniform(-11, 11), Image.Resampling.BILINEAR, expand=True)
    tint = [0.35 + 0.65 * factor for factor in light(scene.time, scene.weather)]
    gain = rng.uniform(0.92, 1.06)
    pixels = np.asarray(image).astype(np.float32)
    pixels[..., :3] *= np.array(tint, np.float32) * gain
    image = Image.fromarray(np.minimum(pixels, 255).astype(np.uint8), "RGBA")
    x, y = int(centre[0] - image.width / 2), int(centre[1] - image.height / 2)
    if shadow:
        low = y + image.height - 0.03 * size
        canvas.draw.ellipse(
            (x + 0.12 * image.width, low - 0.05 * size, x + 0.88 * image.width, low + 0.05 * size), (20, 20, 30, 70)
        )
    canvas.image.paste(image, (x, y), image)


def _group(canvas: Canvas, scene: Scene, item: Item, cell: Box) -> None:
    """Draw all members of one item inside its cell."""
    rng, place = canvas.rng, PLACES[scene.place]
    thing = things()[item.thing]
    box_w, box_h = (cell[2] - cell[0]) * canvas.width, (cell[3] - cell[1]) * canvas.height
    points = _grid(item.count, box_w > 1.1 * box_h, rng)
    wide, high = _extent(points)
    size = min(
        rng.uniform(*_SIZES[item.size]) * canvas.unit,
        1.05 * box_w / wide,
        box_h / high,
        0.9 * min(canvas.width, canvas.height),
    )
    altitude = _altitude(scene, place, thing.habitat, cell, rng)
    half_w, half_h = size * wide / 2 / canvas.width, size * high / 2 / canvas.height
    x = rng.uniform(*sorted((cell[0] + half_w, cell[2] - half_w)))
    y = cell[1] + altitude * (cell[3] - cell[1])
    y = min(max(y, cell[1] + half_h), max(cell[1] + half_h, cell[3] - half_h))
    shadow = not place.floating and thing.habitat != "air" and scene.layout == "row" and scene.spot != "top"
    for dx, dy in sorted(points, key=lambda point: point[1]):
        centre = (x * canvas.width + dx * size, y * canvas.height + dy * size)
        _stamp(canvas, scene, item, centre, 0.96 * size, shadow)


def paint(scene: Scene, width: int, height: int) -> Image.Image:
    """The picture of ``scene``: RGB, ``width`` x ``height`` pixels, fixed by the scene and the size."""
    canvas = Canvas(width, height, Random(scene.seed))
    horizon = min(0.85, max(0.3, PLACES[scene.place].horizon + canvas.rng.uniform(-0.06, 0.06)))
    PAINTERS[scene.place](canvas, scene, horizon)
    for item, cell in zip(scene.items, _cells(scene, canvas.rng), strict=True):
        _group(canvas, scene, item, cell)
    weather_over(canvas, scene.weather)
    return canvas.image


def paint_sharp(scene: Scene, width: int, height: int) -> Image.Image:
    """``paint`` at double size, then reduced, for smooth edges."""
    return paint(scene, 2 * width, 2 * height).resize((width, height), Image.Resampling.LANCZOS)
