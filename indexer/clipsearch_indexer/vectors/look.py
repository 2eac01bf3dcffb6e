"""The pictures that imported vectors belong to, as far as they are here: their facts, for filters and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from clipsearch.errors import PictureError, SourceError
from clipsearch.names import from_stored
from clipsearch.pictures import Appearance
from clipsearch.pictures.fetch import picture_bytes
from clipsearch.pictures.isolated import Decoders
from clipsearch.pictures.parquet import inspect_shard
from clipsearch.types import PictureFacts
from clipsearch_indexer.vectors.compare import New
from clipsearch_indexer.vectors.places import Place, place_of


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture that is here: the length and BLAKE2b-128 of its bytes, when its file was changed, what it says of
    itself, and how it looks. `image_column` is that of the Parquet file it lies in."""

    bytes: int
    mtime_ns: int
    content_hash: str
    facts: PictureFacts
    looks: Appearance
    image_column: str | None


@dataclass(frozen=True, slots=True)
class Looked:
    """A row to import with the place of its picture; `seen` is None where that is absent or cannot be read."""

    new: New
    place: Place
    seen: Seen | None


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at pictures below `roots`, as the indexer does, with processes that decode for the same model."""

    roots: Mapping[str, Path]
    decoders: Decoders

    def look(self, new: New) -> Looked:
        """Find the picture of a row. Never raises for one that is not there or broken."""
        place = place_of(new.path)
        try:
            return Looked(new, place, self._seen(self.roots[new.root], place))
        except (PictureError, SourceError, OSError, ValueError):  # ValueError: a NUL in a path
            return Looked(new, place, None)

    def _seen(self, root: Path, place: Place) -> Seen:
        file = root / from_stored(place.file or place.shard or place.path)
        changed = file.stat().st_mtime_ns
        column = _image_column(file) if place.shard else None
        data = picture_bytes(
            root,
            file=place.file,
            shard=place.shard,
            row_group=place.row_group,
            row=place.row,
            image_column=column,
        )
        picture = self.decoders.decode(data)
        assert picture.decoded is not None
        return Seen(picture.size, changed, picture.content_hash, picture.decoded.facts, picture.decoded.looks, column)


@lru_cache(maxsize=256)
def _image_column(shard: Path) -> str:
    return inspect_shard(shard).image_column
