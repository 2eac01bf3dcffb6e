"""Bytes of a picture file to an upright RGB picture and what the file says of itself."""

from __future__ import annotations

import io
import logging
import os
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from clipsearch.errors import PictureError
from clipsearch.pictures.colour import to_rgb
from clipsearch.pictures.damage import damage
from clipsearch.pictures.facts import orientation_of, read_facts
from clipsearch.pictures.paths import read_file
from clipsearch.types import PictureFacts

DEFAULT_MAX_PIXELS = 200_000_000

_FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
        GifImagePlugin.GifImageFile,
        TiffImagePlugin.TiffImageFile,
        BmpImagePlugin.BmpImageFile,
        AvifImagePlugin.AvifImageFile,
        Jpeg2KImagePlugin.Jpeg2KImageFile,
        PpmImagePlugin.PpmImageFile,
        IcoImagePlugin.IcoImageFile,
    )
)
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = frozenset({5, 6, 7, 8})

# Pillow warns of broken metadata and of pictures above a limit of its own. Both are dealt with here, and a filter set
# around each call would not be safe among threads.
warnings.filterwarnings("ignore", category=UserWarning, module=r"(PIL|pillow_heif)\b")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
logging.getLogger("PIL").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright picture (mode RGB) and the facts of its file."""

    image: Image.Image
    facts: PictureFacts


def read_picture(
    data: bytes | os.PathLike[str],
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    draft: tuple[int, int] | None = None,
) -> Picture:
    """Decode a picture: upright as EXIF says, transparency on white, the first frame of an animation.

    `data` is the content of the file, or its path. `max_pixels` is checked in the header before anything is decoded.
    `draft` is the (width, height) a model reads: a JPEG is then decoded at a fraction of its size, but at no less
    than twice `draft` on both sides. The facts always give the full size.

    Raises `PictureError` and nothing else, whatever the bytes. May be called from many threads at once.
    """
    content = data if isinstance(data, bytes) else read_file(Path(data))
    if not content:
        raise PictureError("empty", "The file is empty (0 bytes); copy it again from where it came.")
    try:
        with opened(content) as source:
            return _decoded(source, max_pixels, draft)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError("too large", "The picture has more pixels than can be read of its format.") from error
    except MemoryError as error:
        raise PictureError("too large", "The picture does not fit into memory.") from error
    except Exception as error:
        raise damage(error, content) from error


def opened(content: bytes) -> ImageFile.ImageFile:
    """Read the header, as `Image.open` does but without its process-wide pixel limit, and telling a foreign file from
    a damaged picture."""
    for name in _formats():
        factory, accept = Image.OPEN[name]
        accepted = accept(content[:16]) if accept else True
        if isinstance(accepted, str):
            raise PictureError("unreadable", f"This Pillow was built without {name}; install its official wheel.")
        if accepted:
            return factory(io.BytesIO(content), "")
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS:
        raise PictureError("unreadable", "Reading HEIC needs one more package: install clipsearch[heif].")
    raise PictureError("not a picture", "The content is not a picture in any format that clipsearch reads.")


@cache
def _formats() -> tuple[str, ...]:
    try:
        import pillow_heif
    except ImportError:
        return _FORMATS
    pillow_heif.register_heif_opener(thumbnails=False)
    return (*_FORMATS, "HEIF")


def _decoded(source: ImageFile.ImageFile, max_pixels: int, draft: tuple[int, int] | None) -> Picture:
    width, height = source.size
    if width * height > max_pixels:
        raise PictureError(
            "too large",
            f"The picture has {width:,} x {height:,} pixels, more than the limit of {max_pixels:,}; "
            "raise it with --max-pixels.",
        )
    if draft and isinstance(source, JpegImagePlugin.JpegImageFile):
        _shrink_on_load(source, draft)
    source.load()
    # Only now: a TIFF is turned by Pillow while loading, and EXIF may follow the pixels in a PNG.
    facts = read_facts(source, (height, width) if orientation_of(source) in _SIDEWAYS else (width, height))
    return Picture(upright_rgb(source), facts)


def upright_rgb(image: Image.Image) -> Image.Image:
    """Turn a Pillow image as its EXIF says and make it mode RGB: transparency on white, deep greys scaled to 8 bits."""
    orientation, image = orientation_of(image), to_rgb(image)
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _shrink_on_load(source: JpegImagePlugin.JpegImageFile, target: tuple[int, int]) -> None:
    width, height = target[::-1] if orientation_of(source) in _SIDEWAYS else target
    source.draft(None, (2 * width, 2 * height))
