"""Looking into the spaces of an index, for tests."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

import clipsearch
from clipsearch.query.embed import image_vectors
from clipsearch.store.snapshot import Snapshot
from tests.conftest import Album

WHERE_NOT_WHAT = ("segment", "segment_offset")


def rows_in(index: Path, space: str) -> dict[int, dict[str, Any]]:
    """Every stored column of every picture of a space, by id, but for where its vector lies."""
    with closing(Snapshot(index, space)) as snapshot:
        ids = snapshot.places.ids().tolist()
        rows = snapshot.catalog.stored(ids)
    return {i: {k: v for k, v in rows[i].items() if k not in WHERE_NOT_WHAT} for i in ids}


def vectors_in(index: Path, space: str) -> dict[int, np.ndarray]:
    """The stored vectors of a space by id."""
    with closing(Snapshot(index, space)) as snapshot:
        ids = snapshot.places.ids()
        return dict(zip(ids.tolist(), snapshot.vectors_of(ids), strict=True))


def assert_level(album: Album, space: str, encoder: Any, main: str = "toy") -> None:
    """A space has the rows of the main one under the same ids, and the vectors its model alone gives."""
    rows, other = rows_in(album.index, main), rows_in(album.index, space)
    assert other == rows
    with clipsearch.open(album.index) as index:
        alone = image_vectors(encoder, [index.picture(i) for i in rows])
    np.testing.assert_array_equal(list(vectors_in(album.index, space).values()), alone.astype(np.float16))
    album.assert_sound()
