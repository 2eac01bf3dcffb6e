"""What an index is: its model, its size, and where its pictures are."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clipsearch.models import engine_summary
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import TrainedInfo


@dataclass(frozen=True, slots=True)
class RootInfo:
    """A root of an index: where it is, how many of its pictures are indexed, and whether it is there now."""

    alias: str
    path: Path
    pictures: int
    online: bool


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What an index is. `bytes` is its size on disk; `trained` is its search index, None where every vector is looked
    at; `engine` is what runs its model on this machine's processor, None where nothing was measured yet."""

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
    trained: TrainedInfo | None
    engine: str | None


def info_of(snapshot: Snapshot) -> IndexInfo:
    """What a published version holds and where."""
    manifest = snapshot.manifest
    counts = dict(snapshot.catalog.fetch("SELECT root, count(*) FROM pictures GROUP BY root"))
    roots = tuple(
        RootInfo(alias, path, counts.get(alias, 0), path.is_dir()) for alias, path in snapshot.roots().items()
    )
    return IndexInfo(
        path=snapshot.path,
        version=manifest.version,
        published_at=manifest.created_at,
        model=manifest.model.name,
        fingerprint=manifest.model.fingerprint,
        dim=manifest.model.dim,
        pictures=manifest.rows,
        failures=manifest.failures,
        segments=len(manifest.segments),
        bytes=_bytes_on_disk(snapshot.path),
        roots=roots,
        trained=manifest.trained.info if manifest.trained else None,
        engine=engine_summary(manifest.model.fingerprint),
    )


def _bytes_on_disk(path: Path) -> int:
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):  # a writer tidied up meanwhile
                total += (Path(folder) / name).stat().st_size
    return total
