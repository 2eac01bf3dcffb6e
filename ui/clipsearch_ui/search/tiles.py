"""What the grid says of one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from clipsearch_ui.address import address

# Panoramas and slips are cropped to what fits into a row beside others.
_NARROWEST, _WIDEST = 0.7, 2.5


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the grid. `thumbnail` is where its small picture is served, `aspect` the width of its tile over
    the height, `score` its cosine similarity to the query, if there is one, and `relevance` how surely it is a match,
    0..1, where the index can say."""

    id: int
    path: str
    caption: str
    aspect: float
    thumbnail: str
    score: float | None = None
    relevance: float | None = None

    @classmethod
    def of(
        cls, row: Mapping[str, Any], index_key: str, score: float | None = None, relevance: float | None = None
    ) -> Tile:
        """The tile of a row of the `images` view."""
        width, height = row["width"] or 1, row["height"] or 1
        return cls(
            id=row["id"],
            path=row["path"],
            caption=row["caption"] or "",
            aspect=round(min(max(width / height, _NARROWEST), _WIDEST), 3),
            thumbnail=address(index_key, "thumbnails", row["id"], row["content_hash"]),
            score=score,
            relevance=relevance,
        )

    @property
    def label(self) -> str:
        """The caption, or else the path."""
        return self.caption or self.path

    @property
    def name(self) -> str:
        """The caption, or else the last part of the path."""
        return self.caption or self.path.rpartition("/")[2]

    def plain(self) -> dict[str, Any]:
        """What the grid's script draws."""
        return {**asdict(self), "label": self.label, "name": self.name}


@dataclass(frozen=True, slots=True)
class Found:
    """Pictures found for a query, best first; `hidden` are so many more that are nearest, but not relevant."""

    tiles: tuple[Tile, ...]
    hidden: int = 0


def picture(tile: Tile) -> str:
    """The thumbnail of a picture as HTML; it is fetched when it comes into view."""
    return f'<img class="picture" loading="lazy" decoding="async" src="{tile.thumbnail}" alt="{escape(tile.label)}">'
