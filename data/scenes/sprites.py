"""Glyph pictures of the things: rendered once, recoloured, cached as RGBA images."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .things import things

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
Plane = NDArray[np.floating]
STRIKE = 109  # the only pixel size of the bitmap font

# Hue (0..1) of each colour, and where not the default the lowest and highest saturation and value.
_RANGES = {
    "pink": (0.45, 0.55, 0.75, 1.0),
    "yellow": (0.7, 1.0, 0.75, 1.0),
    "orange": (0.8, 1.0, 0.75, 1.0),
    "green": (0.6, 0.85, 0.35, 0.75),
}
_HUES = {"red": 0.0, "orange": 0.085, "yellow": 0.15, "green": 0.33, "blue": 0.60, "purple": 0.77, "pink": 0.91}
_RGB = {
    "red": (225, 40, 40),
    "orange": (245, 140, 25),
    "yellow": (250, 215, 40),
    "green": (50, 165, 70),
    "blue": (45, 105, 225),
    "purple": (140, 60, 190),
    "pink": (250, 130, 190),
    "black": (30, 30, 32),
    "white": (248, 248, 248),
}


def font_available() -> bool:
    """Whether the colour glyph font is installed."""
    return FONT.exists()


@cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT), STRIKE)


def _shape(name: str, colour: str) -> Image.Image:
    """A filled geometric shape with a thin darker rim, 256 x 256 RGBA."""
    fill = _RGB[colour or "red"]
    rim = (*(int(c * 0.7) for c in fill), 255)
    image = Image.new("RGBA", (256, 256))
    draw = ImageDraw.Draw(image)
    if name == "circle":
        draw.ellipse((8, 8, 247, 247), (*fill, 255), rim, 6)
    elif name == "square":
        draw.rectangle((16, 16, 239, 239), (*fill, 255), rim, 6)
    elif name == "triangle":
        draw.polygon(((128, 8), (248, 240), (8, 240)), (*fill, 255), rim, 6)
    elif name == "cross":
        arms = (
            (88, 8),
            (168, 8),
            (168, 88),
            (248, 88),
            (248, 168),
            (168, 168),
            (168, 248),
            (88, 248),
            (88, 168),
            (8, 168),
            (8, 88),
            (88, 88),
        )
        draw.polygon(arms, (*fill, 255), rim, 6)
    else:
        raise ValueError(f"unknown shape: {name}")
    return image


def _glyph(text: str) -> Image.Image:
    """The glyph at its native size, cropped to its ink."""
    image = Image.new("RGBA", (200, 180))
    ImageDraw.Draw(image).text((20, 20), text, font=_font(), embedded_color=True)
    box = image.getbbox()
    if box is None:
        raise ValueError(f"the font draws nothing for {text!r}")
    return image.crop(box)


def _main_hue(hue: Plane, weight: Plane) -> float:
    """Circular mean of hues (0..1) weighted by saturation."""
    angle = 2 * np.pi * hue
    return float(np.arctan2((weight * np.sin(angle)).sum(), (weight * np.cos(angle)).sum()) / (2 * np.pi)) % 1.0


def _repaint(hue: Plane, sat: Plane, val: Plane, colour: str) -> tuple[Plane, Plane, Plane]:
    """Hue, saturation and value planes of the same drawing in another colour."""
    if colour == "black":
        return hue, np.zeros_like(sat), val * 0.28
    if colour == "white":
        return hue, sat * 0.04, 0.72 + 0.28 * val
    low_sat, high_sat, low_val, high_val = _RANGES.get(colour, (0.7, 1.0, 0.4, 1.0))
    return (
        np.full_like(hue, _HUES[colour]),
        np.clip(sat * 1.1, low_sat, high_sat),
        np.clip(val * 1.1, low_val, high_val),
    )


def recolour(image: Image.Image, colour: str) -> Image.Image:
    """Turn the sprite's main colour into ``colour``; dark lines and grey parts stay."""
    alpha = image.getchannel("A")
    hsv = np.asarray(image.convert("RGB").convert("HSV"), dtype=np.float32) / np.float32(255)
    hue, sat, val = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    weight = sat * val * (np.asarray(alpha) > 128)
    main = _main_hue(hue, weight)
    distance = np.abs((hue - main + 0.5) % 1.0 - 0.5)
    touched = (sat > 0.14) & (distance < 0.2)
    if weight.sum() < 0.08 * (np.asarray(alpha) > 128).sum():
        touched = val > 0.2  # a grey or black sprite: tint all of it
        sat, val = np.maximum(sat, 0.75), np.maximum(val, 0.55)
    new_hue, new_sat, new_val = _repaint(hue, sat, val, colour)
    hue = np.where(touched, new_hue, hue)
    sat = np.where(touched, new_sat, hsv[..., 1])
    val = np.where(touched, new_val, hsv[..., 2])
    mixed = np.stack([hue, sat, val], axis=-1)
    rgb = Image.fromarray((np.clip(mixed, 0, 1) * 255).astype(np.uint8), "HSV").convert("RGB")
    rgb.putalpha(alpha)
    return rgb


@cache
def sprite(name: str, colour: str) -> Image.Image:
    """RGBA sprite of a thing, in its natural colours when ``colour`` is empty."""
    thing = things()[name]
    if thing.is_shape:
        return _shape(thing.glyph.removeprefix("shape:"), colour)
    image = _glyph(thing.glyph)
    return recolour(image, colour) if colour else image
