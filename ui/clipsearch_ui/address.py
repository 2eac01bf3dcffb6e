"""Where the page's server has pictures."""

from __future__ import annotations

from typing import Literal

Kind = Literal["thumbnails", "previews", "originals"]


def address(kind: Kind, picture_id: int, content_hash: str) -> str:
    """The path of a picture on the server, see `clipsearch_ui.routes`."""
    return f"/{kind}/{picture_id}/{content_hash}"
