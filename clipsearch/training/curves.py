"""Loss and recall over the steps, drawn as a PNG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from clipsearch.training.files import whole

_SIZE = (560, 400)
_MARGIN = (64, 52, 20, 52)  # left, top, right, bottom
_SCALE = 2  # drawn twice as large and shrunk: Pillow draws lines without smoothing
_INK, _FAINT = (40, 44, 52), (222, 225, 230)
_COLOURS = ((31, 110, 190), (214, 96, 30), (46, 145, 85))
_POINTS = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A named curve: its points (x, y) from left to right."""

    name: str
    points: Sequence[tuple[float, float]]


def draw_curves(log: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Draw the training's loss, and beside it the recall of texts among pictures where that was measured."""
    losses = [(float(line["step"]), float(line["loss"])) for line in log if "loss" in line]
    recalls = [
        Line(
            f"R@{k}",
            [(float(line["step"]), float(line[f"text_to_image_r{k}"])) for line in log if "text_to_image_r1" in line],
        )
        for k in (1, 5, 10)
    ]
    panels = [_panel("Loss", [Line("training", _thinned(losses))], _nice_top(max((y for _, y in losses), default=1)))]
    if recalls[0].points:
        panels.append(_panel("Text to picture, among those kept aside", recalls, 1.0))
    sheet = Image.new("RGB", (sum(panel.width for panel in panels), panels[0].height), "white")
    for number, panel in enumerate(panels):
        sheet.paste(panel, (number * _SIZE[0], 0))
    with whole(target) as draft:
        sheet.save(draft, "PNG")


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The means of equal runs of points, at most 200: single steps' losses are noise."""
    size = max(1, math.ceil(len(points) / _POINTS))
    parts = [points[start : start + size] for start in range(0, len(points), size)]
    return [(part[-1][0], sum(y for _, y in part) / len(part)) for part in parts]


def _nice_top(value: float) -> float:
    """The least 1, 2 or 5 times a power of ten that is not below a value."""
    if not math.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _panel(title: str, lines: Sequence[Line], top: float) -> Image.Image:
    image = Image.new("RGB", (_SIZE[0] * _SCALE, _SIZE[1] * _SCALE), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14 * _SCALE)
    left, upper, right, lower = (side * _SCALE for side in _MARGIN)
    width, height = image.width - left - right, image.height - upper - lower
    last = max((x for line in lines for x, _ in line.points), default=0.0) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        return left + width * x / last, upper + height * (1 - min(y, top) / top)

    draw.text((left, 12 * _SCALE), title, _INK, ImageFont.load_default(16 * _SCALE))
    for part in range(5):
        y = top * part / 4
        draw.line([place(0, y), place(last, y)], _FAINT, _SCALE)
        draw.text((left - 8 * _SCALE, place(0, y)[1]), f"{y:.3g}", _INK, font, anchor="rm")
        draw.text(
            (place(last * part / 4, 0)[0], image.height - lower + 8 * _SCALE),
            f"{last * part / 4:.0f}",
            _INK,
            font,
            anchor="ma",
        )
    draw.text((left + width / 2, image.height - 4 * _SCALE), "step", _INK, font, anchor="md")
    for number, line in enumerate(lines):
        _draw_line(draw, [place(x, y) for x, y in line.points], _COLOURS[number])
        if len(lines) > 1:
            draw.text(
                (left + width - (len(lines) - number) * 56 * _SCALE, 32 * _SCALE), line.name, _COLOURS[number], font
            )
    return image.resize(_SIZE, Image.Resampling.LANCZOS)


def _draw_line(draw: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], colour: tuple[int, int, int]) -> None:
    if len(points) > 1:
        draw.line(list(points), colour, 2 * _SCALE, joint="curve")
    if len(points) <= 30:
        for x, y in points:
            draw.circle((x, y), 3 * _SCALE, colour)
