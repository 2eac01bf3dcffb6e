"""Resizing with Pillow's kernels, as quickly as the processor can.

Pillow computes one number at a time. Where fast_image_resize (Rust, with vector instructions) is installed, it is
taken: the same kernels in a fraction of the time. It rounds elsewhere, and may take rows before columns.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from clipsearch.types import Pixels

try:
    import cykooz_resizer as simd
except ImportError:  # no wheel for this platform
    simd = None

Size = tuple[int, int]
"""Width and height."""
Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of a picture."""
Resize = Callable[[Image.Image, Size, Image.Resampling, Box | None], Pixels]

_KERNELS = {Image.Resampling.BICUBIC: "catmull_rom", Image.Resampling.BILINEAR: "bilinear"}


def resize(image: Image.Image, size: Size, resampling: Image.Resampling, box: Box | None = None) -> Pixels:
    """Resize an RGB image, or a `box` of it, to `size`, averaging where it gets smaller; uint8 [height, width, 3]."""
    if simd is None:
        return resize_by_pillow(image, size, resampling, box)
    resized = Image.new("RGB", size)
    kernel = simd.ResizeAlg.convolution(simd.FilterType[_KERNELS[resampling]])
    part = simd.CropBox(box[0], box[1], box[2] - box[0], box[3] - box[1]) if box else None
    simd.Resizer().resize_pil(image, resized, simd.ResizeOptions(kernel, crop_box=part))
    return np.array(resized)


def resize_by_pillow(image: Image.Image, size: Size, resampling: Image.Resampling, box: Box | None = None) -> Pixels:
    """What open_clip's own transform does, and `resize` comes close to."""
    return np.array(image.resize(size, resampling, box))
