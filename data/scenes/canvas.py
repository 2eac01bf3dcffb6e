"""A picture being painted: gradients, soft noise and simple shapes in relative coordinates."""

from functools import cache
from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageDraw

Colour = tuple[int, int, int]


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """``a`` for share 0, ``b`` for share 1."""
    return (int(a[0] + (b[0] - a[0]) * share), int(a[1] + (b[1] - a[1]) * share), int(a[2] + (b[2] - a[2]) * share))


@cache
def _noise_tiles() -> list[Image.Image]:
    """Sixteen 512 x 512 tiles of smooth grey noise around 128."""
    rng = np.random.default_rng(7)
    tiles = []
    for index in range(16):
        total = np.zeros((512, 512), np.float32)
        for cells in (4 + index % 4, 16, 64):
            grid = Image.fromarray(rng.normal(0, 1, (cells, cells)).astype(np.float32))
            total += np.asarray(grid.resize((512, 512), Image.Resampling.BICUBIC)) * (1.5 / cells**0.35)
        tiles.append(Image.fromarray(np.clip(128 + 40 * total, 0, 255).astype(np.uint8)))
    return tiles


class Canvas:
    """An RGB image of ``width`` x ``height`` pixels; all methods take fractions of these sizes."""

    def __init__(self, width: int, height: int, rng: Random) -> None:
        self.width, self.height, self.rng = width, height, rng
        self.image = Image.new("RGB", (width, height))
        self.draw = ImageDraw.Draw(self.image, "RGBA")
        self.unit = min((width * height) ** 0.5, 1.25 * height, 1.25 * width)

    def vary(self, colour: Colour, spread: int = 16) -> Colour:
        """``colour`` with a little random change."""
        shift = self.rng.randint(-spread, spread)
        r, g, b = (max(0, min(255, c + shift + self.rng.randint(-spread // 2, spread // 2))) for c in colour)
        return (r, g, b)

    def gradient(self, top: Colour, bottom: Colour, y0: float = 0.0, y1: float = 1.0) -> None:
        """Vertical colour gradient over the band y0..y1."""
        start, end = int(y0 * self.height), int(np.ceil(y1 * self.height))
        rows = np.linspace(top, bottom, max(2, end - start)).astype(np.uint8)[:, None, :]
        self.image.paste(Image.fromarray(rows, "RGB").resize((self.width, max(1, end - start))), (0, start))

    def noise(self, y0: float = 0.0, y1: float = 1.0, strength: float = 0.3) -> None:
        """Mottle the band y0..y1 with smooth noise (texture of sand, snow, grass, water)."""
        box = (0, int(y0 * self.height), self.width, int(y1 * self.height))
        size = (box[2] - box[0], box[3] - box[1])
        if min(size) < 1:
            return
        x, y = self.rng.randrange(200), self.rng.randrange(300)
        tile = self.rng.choice(_noise_tiles()).resize(size, Image.Resampling.BILINEAR, (x, y, x + 300, y + 200))
        band = self.image.crop(box)
        overlay = ImageChops.overlay(band, Image.merge("RGB", (tile, tile, tile)))
        self.image.paste(Image.blend(band, overlay, strength), box)

    def polygon(self, points: list[tuple[float, float]], colour: Colour, alpha: int = 255) -> None:
        """Filled polygon."""
        self.draw.polygon([(x * self.width, y * self.height) for x, y in points], (*colour, alpha))

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, alpha: int = 255) -> None:
        """Filled rectangle."""
        self.draw.rectangle((x0 * self.width, y0 * self.height, x1 * self.width, y1 * self.height), (*colour, alpha))

    def disc(self, x: float, y: float, radius: float, colour: Colour, alpha: int = 255, flat: float = 1.0) -> None:
        """Filled ellipse; ``radius`` in units of the picture's size, ``flat`` = height / width."""
        cx, cy, rx = x * self.width, y * self.height, radius * self.unit
        self.draw.ellipse((cx - rx, cy - rx * flat, cx + rx, cy + rx * flat), (*colour, alpha))

    def ridge(self, base: float, height: float, colour: Colour, steps: int, bottom: float = 1.0) -> None:
        """Rolling hills or jagged peaks: a polygon with a random upper edge, filled down to ``bottom``."""
        offset = self.rng.random()
        xs = [-0.1 + 1.2 * (i + offset * 0.5) / steps for i in range(steps + 1)]
        top = [(x, base - height * self.rng.random()) for x in xs]
        self.polygon([(-0.2, bottom), (-0.2, base), *top, (1.2, base), (1.2, bottom)], colour)

    def dots(self, count: int, y0: float, y1: float, radius: float, colours: list[Colour], alpha: int = 255) -> None:
        """Scattered small discs (stars, flowers, leaves)."""
        for _ in range(count):
            self.disc(
                self.rng.random(),
                self.rng.uniform(y0, y1),
                radius * self.rng.uniform(0.5, 1.3),
                self.rng.choice(colours),
                alpha,
            )
