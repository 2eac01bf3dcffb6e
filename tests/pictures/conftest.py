from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Encode = Callable[..., bytes]


@pytest.fixture(scope="session")
def scene() -> Image.Image:
    """96 x 64 pixels, smooth, every corner of its own colour."""
    corners = np.array([[[220, 30, 30], [30, 200, 30]], [[30, 30, 220], [230, 220, 40]]], np.uint8)
    return Image.fromarray(corners).resize((96, 64), Image.Resampling.BILINEAR)


@pytest.fixture(scope="session")
def encode() -> Encode:
    def encoded(image: Image.Image, name: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, name, **options)
        return buffer.getvalue()

    return encoded


@pytest.fixture(scope="session")
def photos() -> list[Path]:
    """Real photos, where this machine has them."""
    folders = (parent / "shared" / "data" / "coco" for parent in Path(__file__).parents)
    found = next((sorted(folder.glob("*.jpg")) for folder in folders if folder.is_dir()), [])
    if not found:
        pytest.skip("no photos on this machine")
    return found


@pytest.fixture(scope="session")
def heif():
    pytest.importorskip("pillow_heif").register_heif_opener(thumbnails=False)
