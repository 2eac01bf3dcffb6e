"""Deleting what nobody reads any more: versions that were replaced, and spaces that were dropped."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from clipsearch.errors import IndexDamaged
from clipsearch.store.layout import Layout
from clipsearch.store.lock import collect
from clipsearch.store.manifest import Manifest, read_manifest
from clipsearch.store.segments import remove_segment
from clipsearch.store.spaces import FILE, FOLDER, path_of, read_spaces

_BESIDE_VERSIONS = ("probes.npz", "map.npz", "broken")
"""What a space has that belongs to no version. Small pictures the page has shown are of no space."""


def collect_garbage(layout: Layout, current: Manifest) -> None:
    """Delete versions nobody reads any more, and every file that no remaining version needs."""
    others = (path for path in layout.versions.glob("*.json") if path != layout.manifest(current.version))
    _keep_only(layout, [current, *_still_read(others)], current.last_batch)


def collect_dropped(index: Path) -> None:
    """Delete the files of spaces that the index has no more, as far as nobody reads them."""
    if not (index / FILE).exists():
        return
    kept = {path_of(index, space) for space in read_spaces(index).spaces}
    if index not in kept:
        _clear(Layout(index))
    for folder in (index / FOLDER).glob("*"):
        if folder not in kept and _clear(Layout(folder)):
            shutil.rmtree(folder, ignore_errors=True)


def _clear(layout: Layout) -> bool:
    """Delete an index directory's own files. Returns whether that was all of them."""
    layout.current.unlink(missing_ok=True)
    read = _still_read(layout.versions.glob("*.json"))
    _keep_only(layout, read)
    if read:
        return False
    for name in _BESIDE_VERSIONS:
        path = layout.path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for folder in (layout.segments, layout.versions, layout.tmp):
        shutil.rmtree(folder, ignore_errors=True)
    return True


def _still_read(manifests: Iterable[Path]) -> list[Manifest]:
    """Delete manifests that nobody has a lease on; returns the others."""
    read = []
    for path in sorted(manifests):
        if not collect(path):
            with suppress(IndexDamaged):
                read.append(read_manifest(path))
    return read


def _keep_only(layout: Layout, kept: list[Manifest], last_batch: int | None = None) -> None:
    """Delete every derived file and segment that no version of `kept` needs; segments beyond the batch `last_batch`
    are not published yet, and stay."""
    names = {file.name for manifest in kept for file in manifest.derived}
    for path in layout.derived():
        if path.name not in names:
            with suppress(OSError):  # Windows: still open somewhere; the next publish tries again
                path.unlink()
    segments = {segment.name for manifest in kept for segment in manifest.segments}
    for path in layout.segments.glob("*-*"):
        if path.name not in segments and (last_batch is None or int(path.name.split("-")[1]) <= last_batch):
            remove_segment(layout, path.name)
