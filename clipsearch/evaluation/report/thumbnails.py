"""Small JPEGs that travel inside the page."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image

from clipsearch.errors import ClipsearchError
from clipsearch.evaluation.report.elements import Html, element, html
from clipsearch.evaluation.types import Shown
from clipsearch.names import from_stored
from clipsearch.pictures import read_file, read_picture
from clipsearch.query.index import Index

_SIDE = 240
_QUALITY = 75


def thumbnail(index: Index, picture: Shown) -> Html:
    """A picture as an `img` whose source is a JPEG in Base64, no side above 240 pixels; its path where it cannot be
    read now."""
    try:
        content = read_file(Path(from_stored(picture.path))) if picture.id is None else index.picture(picture.id)
        image = read_picture(content, draft=(_SIDE, _SIDE)).image
    except ClipsearchError:
        return element("p", "The picture cannot be read now.")
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    name = html(picture.path)
    return Html(f'<img src="data:image/jpeg;base64,{data}" alt="{name}" title="{name}">')


def figure(index: Index, caption: str, shown: str | Shown) -> Html:
    """A picture with a caption and its path, or a text with a caption."""
    picture = [] if isinstance(shown, str) else [thumbnail(index, shown)]
    said = shown if isinstance(shown, str) else shown.path
    return element("figure", *picture, element("figcaption", element("b", caption), said))
