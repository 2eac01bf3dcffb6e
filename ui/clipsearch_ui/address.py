"""Where the page's server has pictures, see `clipsearch_ui.routes`."""

from __future__ import annotations

from typing import Literal

Kind = Literal["thumbnails", "previews", "originals"]


def address(index_key: str, kind: Kind, picture_id: int, content_hash: str) -> str:
    """The path of a picture on the server; `index_key` is `Engine.key`."""
    return f"/pictures/{index_key}/{kind}/{picture_id}/{content_hash}"
