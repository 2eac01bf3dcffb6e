"""Pictures in formats that indexers stumble over, and files that are no pictures."""

from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from .gallery_plan import everyday_scene
from .painter import paint, paint_sharp
from .sprites import sprite

SIZE = (320, 240)
_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def _picture(rng: Random) -> Image.Image:
    return paint_sharp(everyday_scene(rng, 0.0), *SIZE)


def _rotated(folder: Path, rng: Random) -> None:
    """JPEGs stored turned or mirrored, which their orientation tag puts right."""
    for orientation, turn in _STORED.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        _picture(rng).transpose(turn).save(folder / f"turned-{orientation}.jpg", quality=82, exif=exif)


def _animations(folder: Path, rng: Random) -> None:
    """Four frames of a thing that crosses the picture, as GIF and WebP."""
    for name, thing in (("bouncing-ball.gif", "basketball"), ("flying-bird.webp", "bird")):
        background = paint(everyday_scene(rng, 0.0), 200, 150)
        image = sprite(thing, "").resize((56, 56), Image.Resampling.BICUBIC)
        frames = []
        for step in range(4):
            frame = background.copy()
            frame.paste(image, (10 + 42 * step, 30 + 20 * (step % 2)), image)
            frames.append(frame)
        frames[0].save(folder / name, save_all=True, append_images=frames[1:], duration=200, loop=0)


def _transparent(folder: Path) -> None:
    cut = Image.new("RGBA", (256, 256))
    cut.alpha_composite(sprite("teddy bear", "").resize((220, 220), Image.Resampling.BICUBIC), (18, 18))
    cut.save(folder / "teddy-bear-cut-out.png")
    logo = Image.new("P", (160, 160), 0)
    logo.putpalette([0, 0, 0, 225, 40, 40, 250, 215, 40])
    logo.paste(1, (30, 30, 130, 130))
    logo.paste(2, (60, 60, 100, 100))
    logo.save(folder / "red-square-palette.png", transparency=0)


def _other_modes(folder: Path, rng: Random) -> None:
    _picture(rng).convert("CMYK").save(folder / "print-cmyk.jpg", quality=82)
    _picture(rng).convert("L").save(folder / "old-grey.jpg", quality=82)
    grey = np.asarray(_picture(rng).convert("L"), dtype=np.uint16) * 257
    Image.fromarray(grey).save(folder / "scan-16-bit.png")


def _broken(folder: Path, rng: Random) -> None:
    whole = folder / "cut-off.jpg"
    _picture(rng).save(whole, quality=82)
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) // 3])
    (folder / "nothing.jpg").write_bytes(b"")
    (folder / "shopping-list.jpg").write_text("This is a text file, whatever its name says.\nApples, bread, milk\n")


def write_awkward(folder: Path, seed: int) -> None:
    """Fill ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = Random(f"awkward {seed}")
    _rotated(folder, rng)
    _other_modes(folder, rng)
    _transparent(folder)
    _animations(folder, rng)
    _broken(folder, rng)
