"""`clipsearch.open`: an index to ask."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipsearch.errors import ModelMismatch, QueryError
from clipsearch.query.terms import image_term, mix, text_term, unit, vector_term
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Encoder, Hit, Vectors

if TYPE_CHECKING:
    import pyarrow as pa
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class RootInfo:
    """A root of an index: where it is, how many of its pictures are indexed, and whether it is there now."""

    alias: str
    path: Path
    pictures: int
    online: bool


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What an index is. `bytes` is its size on disk."""

    path: Path
    version: int
    published_at: str
    model: str
    fingerprint: str
    dim: int
    pictures: int
    failures: int
    segments: int
    bytes: int
    roots: tuple[RootInfo, ...]


class Index:
    """A published version of an index, opened for searching; `refresh` moves to the newest.

    Args:
        path: the index directory.
        encoder: a ready encoder; by default the index's own model is loaded at the first text or picture query.
        device: `auto`, `cuda`, `mps` or `cpu`, for the index's own model.
        offline: never touch the network, even for weights missing here.

    Raises:
        IndexNotFound: there is no index at `path`.
        IndexDamaged: it cannot be read.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        encoder: Encoder | None = None,
        device: str = "auto",
        offline: bool = False,
    ) -> None:
        self.path = Path(path).expanduser().absolute()
        self._device, self._offline = device, offline
        self._snapshot = Snapshot(self.path)
        if encoder is not None:
            self.encoder = self._checked(encoder)

    @cached_property
    def encoder(self) -> Encoder:
        """The model of this index.

        Raises:
            ModelError: it cannot be loaded.
            ModelMismatch: what its name stands for has changed since the index was made.
        """
        from clipsearch.models import load_encoder

        name = self._snapshot.manifest.model.name
        return self._checked(load_encoder(name, device=self._device, offline=self._offline))

    def _checked(self, encoder: Encoder) -> Encoder:
        made_with = self._snapshot.manifest.model
        if encoder.fingerprint != made_with.fingerprint:
            raise ModelMismatch(
                f"{self.path} was made with {made_with.name} ({made_with.fingerprint[:8]}), which is not the "
                f"{encoder.name} at hand ({encoder.fingerprint[:8]}); their vectors do not compare. Open it with the "
                f"model it was made with, or index again into a new folder with --index DIR."
            )
        return encoder

    def __len__(self) -> int:
        return self._snapshot.manifest.rows

    def search(
        self,
        text: str | None = None,
        *,
        k: int = 10,
        image: str | Path | bytes | Image | NDArray[np.uint8] | None = None,
        like: int | None = None,
        vector: ArrayLike | None = None,
    ) -> list[Hit]:
        """The `k` pictures nearest to what is asked, best first; fewer only where the index holds fewer.

        Args:
            text: what the picture shows.
            k: how many pictures to return.
            image: a picture to resemble: a file, encoded bytes, a PIL image or a uint8 array [h, w, 3].
            like: the id of an indexed picture to resemble; that picture itself is left out.
            vector: a vector of the model's own space, `dim` numbers of any length.

        Several of them make one query, each counting alike.

        Raises:
            QueryError: nothing is asked, or something asked cannot be used.
            ModelError: the index's model cannot be loaded.
        """
        if k < 1:
            raise QueryError(f"k is {k}; ask for at least one picture.")
        # One version for the whole query, also where another thread refreshes meanwhile.
        snapshot = self._snapshot
        terms = self._terms(snapshot, text, image, like, vector)
        if not terms:
            raise QueryError("Nothing is asked: give a text, an image, an id or a vector.")
        scores, ids = snapshot.ann.search(mix(terms), k, without=() if like is None else (like,))
        return _hits(snapshot, ids[0].tolist(), scores[0].tolist())

    def _terms(
        self, snapshot: Snapshot, text: str | None, image: Any, like: int | None, vector: ArrayLike | None
    ) -> list[Vectors]:
        terms = []
        if text is not None:
            terms.append(text_term(self.encoder, text))
        if image is not None:
            terms.append(image_term(self.encoder, image))
        if like is not None:
            terms.append(unit(snapshot.vectors(_rows(snapshot, [like]))[0]))
        if vector is not None:
            terms.append(vector_term(vector, snapshot.manifest.model.dim))
        return terms

    def get(self, picture_id: int) -> Mapping[str, Any]:
        """Metadata of one picture, the columns of the `images` view.

        Raises:
            QueryError: there is no such id.
        """
        snapshot = self._snapshot
        _rows(snapshot, [picture_id])
        return snapshot.catalog.images([picture_id])[picture_id]

    def picture(self, picture_id: int) -> bytes:
        """The encoded bytes of one picture, from its file or out of its Parquet shard.

        Raises:
            QueryError: there is no such id.
            PictureError: the file is not there any more.
        """
        from clipsearch.pictures import picture_bytes

        snapshot = self._snapshot
        [row] = _rows(snapshot, [picture_id])
        return picture_bytes(
            snapshot.roots()[row["root"]],
            file=row["file"],
            shard=None if row["file"] else row["shard"],
            row_group=row["row_group"] or 0,
            row=row["row"] or 0,
            image_column=row["image_column"],
        )

    def vectors(self, ids: Sequence[int]) -> NDArray[np.float16]:
        """Stored vectors, float16 [n, dim], in the order of `ids`.

        Raises:
            QueryError: an id does not exist.
        """
        snapshot = self._snapshot
        return snapshot.vectors(_rows(snapshot, ids))

    def sql(self, statement: str) -> pa.Table:
        """Run one SELECT on the catalog, whose main view is `images`; returns an Arrow table.

        Raises:
            QueryError: the statement is wrong or does more than read the catalog.
        """
        return self._snapshot.catalog.query(statement)

    def failures(self) -> list[dict[str, Any]]:
        """Pictures that could not be read: root, path, reason, message, bytes, mtime_ns, failed_at."""
        return self._snapshot.catalog.failures()

    def info(self) -> IndexInfo:
        """What this index is and where its pictures are."""
        snapshot = self._snapshot
        manifest = snapshot.manifest
        counts = dict(snapshot.catalog.fetch("SELECT root, count(*) FROM pictures GROUP BY root"))
        roots = tuple(
            RootInfo(alias, path, counts.get(alias, 0), path.is_dir()) for alias, path in snapshot.roots().items()
        )
        return IndexInfo(
            path=self.path,
            version=manifest.version,
            published_at=manifest.created_at,
            model=manifest.model.name,
            fingerprint=manifest.model.fingerprint,
            dim=manifest.model.dim,
            pictures=manifest.rows,
            failures=manifest.failures,
            segments=len(manifest.segments),
            bytes=_bytes_on_disk(self.path),
            roots=roots,
        )

    def refresh(self) -> bool:
        """Move to the newest published version. Returns whether there was a newer one.

        Queries under way in other threads end on the version they began with, which is let go of after them.
        """
        if self._snapshot.is_current():
            return False
        self._snapshot = Snapshot(self.path)
        return True

    def close(self) -> None:
        """Let go of the index's files."""
        self._snapshot.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _rows(snapshot: Snapshot, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Stored rows in the order of `ids`; raises QueryError for an id that does not exist."""
    rows = snapshot.catalog.stored(list(ids))
    missing = [i for i in ids if i not in rows]
    if missing:
        raise QueryError(f"There is no picture with id {missing[0]} in this index.")
    return [rows[i] for i in ids]


def _hits(snapshot: Snapshot, ids: Sequence[int], scores: Sequence[float]) -> list[Hit]:
    rows = snapshot.catalog.images(ids)
    roots = snapshot.roots()
    return [
        Hit(picture_id, score, place(rows[picture_id], roots), rows[picture_id])
        for picture_id, score in zip(ids, scores, strict=True)
    ]


def place(row: Mapping[str, Any], roots: Mapping[str, Path]) -> str:
    """Where a row's picture is found: an absolute file path, or `<parquet file>#<row group>/<row>`."""
    from clipsearch.pictures import from_stored

    return str(roots[row["root"]] / from_stored(row["file"] or row["path"]))


def _bytes_on_disk(path: Path) -> int:
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):  # a writer tidied up meanwhile
                total += (Path(folder) / name).stat().st_size
    return total
