"""Contents whose vector the index has: the same bytes are never embedded twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from clipsearch.pictures import Appearance
from clipsearch.store.catalog import Catalog
from clipsearch.store.layout import Layout
from clipsearch.store.lock import take_lease
from clipsearch.store.manifest import Manifest
from clipsearch.store.vectors import load_vectors
from clipsearch.types import PictureFacts, StoredVectors

_FACTS = ("format", "width", "height", "taken_at", "camera", "latitude", "longitude")


@dataclass(frozen=True, slots=True)
class KnownPicture:
    """What is known of a content: its facts, how it looks, and its vector, float16 [dim]."""

    facts: PictureFacts
    looks: Appearance
    vector: StoredVectors


class KnownContents:
    """Contents of the published version, and of the batches written since.

    Asking for a content goes through an array of 64-bit hash prefixes first (8 bytes a picture), so that new pictures
    cost no query. `seem_known` may be asked from any thread.
    """

    def __init__(self, layout: Layout, manifest: Manifest) -> None:
        self._layout = layout
        self._catalog: Catalog | None = None
        self._lease: IO[bytes] | None = None
        self._recent: dict[str, KnownPicture] = {}
        self.follow(manifest)

    def follow(self, manifest: Manifest) -> None:
        """Move on to the newest published version, and remember only what it does not hold yet."""
        self.close()
        # What it names stays there while the next version is published beside the search for known contents.
        self._lease = take_lease(self._layout.manifest(manifest.version))
        self._catalog = Catalog(self._layout.path / manifest.catalog.name)
        table = self._catalog.arrow(
            "SELECT DISTINCT ('0x' || left(content_hash, 16))::UBIGINT AS prefix FROM pictures "
            "WHERE content_hash IS NOT NULL"  # of an imported vector whose picture is absent
        )
        self._prefixes: NDArray[np.uint64] = np.sort(table.read_all()["prefix"].to_numpy())
        recent = self._recent
        stored = self._are_stored(list(recent))
        self._recent = {content: recent[content] for content, known in zip(recent, stored, strict=True) if not known}
        self._vectors: dict[str, StoredVectors] = {}

    def close(self) -> None:
        """Let go of the version."""
        for held in (self._catalog, self._lease):
            if held is not None:
                held.close()

    def seem_known(self, hashes: Sequence[str]) -> list[bool]:
        """Whether contents are known, but for one chance in 2^64 a picture."""
        recent = self._recent  # first: what leaves it meanwhile is among the stored ones by then
        stored = self._are_stored(hashes)
        return [content in recent or is_stored for content, is_stored in zip(hashes, stored, strict=True)]

    def _are_stored(self, hashes: Sequence[str]) -> list[bool]:
        known = self._prefixes
        prefixes = np.array([int(content[:16], 16) for content in hashes], np.uint64)
        places = np.searchsorted(known, prefixes)
        found = places < len(known)
        found[found] = known[places[found]] == prefixes[found]
        return [bool(one) for one in found]

    def find(self, hashes: Sequence[str]) -> dict[str, KnownPicture]:
        """Those of the contents that are known."""
        once = list(dict.fromkeys(hashes))
        wanted = [content for content, known in zip(once, self.seem_known(once), strict=True) if known]
        found = {content: self._recent[content] for content in wanted if content in self._recent}
        listed = ", ".join(f"'{content}'" for content in wanted if content not in found)
        if listed and self._catalog is not None:
            rows = self._catalog.arrow(
                f"SELECT * FROM pictures WHERE content_hash IN ({listed}) "
                "QUALIFY row_number() OVER (PARTITION BY content_hash ORDER BY shard IS NOT NULL, id) = 1"
            ).read_all()
            found |= {row["content_hash"]: self._known(row) for row in rows.to_pylist()}
        return found

    def remember(self, content_hash: str, picture: KnownPicture) -> None:
        """Add a content of the batch being written."""
        self._recent.setdefault(content_hash, picture)

    def _known(self, row: Mapping[str, Any]) -> KnownPicture:
        segment = row["segment"]
        if segment not in self._vectors:
            self._vectors[segment] = load_vectors(self._layout, segment)
        # The caption of a Parquet row is its own, not the picture's.
        caption = row["caption"] if row["shard"] is None else None
        facts = PictureFacts(**{name: row[name] for name in _FACTS}, caption=caption)
        looks = Appearance(row["perceptual_hash"], row["sharpness"], row.get("exposure"))
        return KnownPicture(facts, looks, np.array(self._vectors[segment][row["segment_offset"]]))
