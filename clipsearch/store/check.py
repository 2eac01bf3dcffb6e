"""Checking an index against its manifest, and rebuilding what can be rebuilt."""

from __future__ import annotations

import shutil
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from clipsearch.errors import ClipsearchError, IndexDamaged, IndexNotFound
from clipsearch.store.computed import newest_on_disk
from clipsearch.store.derive import Sources, derive
from clipsearch.store.garbage import collect_garbage
from clipsearch.store.layout import Layout, checksum
from clipsearch.store.lock import writer_lock
from clipsearch.store.manifest import (
    FileRef,
    Manifest,
    WrittenByNewer,
    published_version,
    read_manifest,
    write_manifest,
)
from clipsearch.store.segments import (
    SegmentRecord,
    complete_segments,
    damage,
    outermost,
    read_record,
)
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.spaces import FOLDER, path_of, read_spaces, spaces_on_disk, whole_of, write_spaces
from clipsearch.store.vectors import load_vectors

_NORM_TOLERANCE = 2e-3  # float16 keeps 11 bits: a unit vector of any length is off by less than this
_BLOCK = 65536


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` looked at and found. `problems` is empty for a sound index; segments and files are those of all
    its spaces, `version` and `rows` those of the main one."""

    version: int
    rows: int
    segments: int
    files: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What `repair` rebuilt, and what it had to set aside because the files are damaged: segments, and sets of computed
    columns (`columns_set_aside`), which have to be computed anew. What lay in another space than the main one, whose
    `version` and `rows` are given, has the space's name before its own."""

    version: int
    rows: int
    segments: int
    set_aside: tuple[str, ...]
    columns_set_aside: tuple[str, ...] = ()


def verify(path: str | Path) -> VerifyReport:
    """Check counts and checksums of everything the published version is made of, in every space of the index.

    Raises:
        IndexNotFound: there is no index at `path`.
        IndexDamaged: a manifest cannot be read, so there is nothing to check against.
    """
    index = Path(path).expanduser().absolute()
    spaces = read_spaces(index)
    with closing(Snapshot(index)) as snapshot:
        main = _verify(snapshot)
    reports = [main]
    for space in spaces.spaces:
        if space != spaces.main:
            with closing(Snapshot(index, space.name)) as snapshot:
                reports.append(_verify(snapshot, f"Space {space.name}: "))
    return replace(
        main,
        segments=sum(report.segments for report in reports),
        files=sum(report.files for report in reports),
        problems=tuple(problem for report in reports for problem in report.problems),
    )


def _verify(snapshot: Snapshot, prefix: str = "") -> VerifyReport:
    manifest, layout = snapshot.manifest, snapshot.layout
    problems = [p for segment in manifest.segments for p in damage(layout, segment)]
    for file in manifest.derived:
        problems += _derived_damage(layout, file)
    if not problems:
        problems += _norm_problems(layout, manifest) + _count_problems(snapshot)
    files = len(manifest.derived) + sum(len(segment.checksums) for segment in manifest.segments)
    said = tuple(f"{prefix}{problem}" for problem in problems)
    return VerifyReport(manifest.version, manifest.rows, len(manifest.segments), files, said)


def _derived_damage(layout: Layout, file: FileRef) -> list[str]:
    path = layout.path / file.name
    try:
        return [] if checksum(path) == file.checksum else [f"{path} does not match its checksum."]
    except OSError as error:
        return [f"{path} cannot be read ({error.strerror})."]


def _norm_problems(layout: Layout, manifest: Manifest) -> list[str]:
    problems = []
    for segment in manifest.segments:
        vectors = load_vectors(layout, segment.name)
        if vectors.shape != (segment.rows, manifest.model.dim):
            problems.append(f"Segment {segment.name} has vectors of shape {vectors.shape}.")
            continue
        for start in range(0, len(vectors), _BLOCK):
            norms = np.linalg.norm(vectors[start : start + _BLOCK].astype(np.float32), axis=1)
            if not (np.abs(norms - 1) < _NORM_TOLERANCE).all():
                problems.append(f"Segment {segment.name} has vectors that are not of length one.")
                break
    return problems


def _count_problems(snapshot: Snapshot) -> list[str]:
    manifest, catalog = snapshot.manifest, snapshot.catalog
    problems = []
    ids = catalog.arrow("SELECT id FROM pictures ORDER BY id").read_all()["id"].to_numpy()
    if len(ids) != manifest.rows:
        problems.append(f"The catalog has {len(ids)} pictures where the manifest says {manifest.rows}.")
    if not np.array_equal(ids, snapshot.places.ids()):
        problems.append("The table of places and the catalog hold different ids.")
    if not snapshot.records.has(ids).all():
        problems.append("The records lack pictures of the catalog.")
    if not np.array_equal(ids, snapshot.searcher.ids()):
        problems.append("The FAISS index and the catalog hold different ids.")
    rows = {segment.name: segment.rows for segment in manifest.segments}
    lacking = [c for ref in manifest.computed for c in ref.columns if c not in catalog.schema.names]
    problems += [f"The catalog lacks the computed column {column}." for column in lacking]
    for name, last in catalog.fetch("SELECT segment, max(segment_offset) FROM pictures GROUP BY segment"):
        if last >= rows.get(name, 0):
            problems.append(f"The catalog points beyond the end of segment {name}.")
    return problems


def repair(path: str | Path) -> RepairReport:
    """Rebuild all that is derived from the segments, and the manifest, in every space of the index; damaged segments
    and computed columns are moved to `broken/`.

    Pictures of a segment set aside are embedded again by the next indexing run.

    Raises:
        IndexNotFound: there is no index at `path`.
        IndexBusy: another process is writing.
        IndexDamaged: there is neither a readable manifest nor a sound segment.
    """
    index = Path(path).expanduser().absolute()
    if not (index / "segments").is_dir() and not (index / FOLDER).is_dir():
        raise IndexNotFound(f"There is no index at {path}; make one with `clipsearch index FOLDER`.")
    with writer_lock(Layout(whole_of(index))):
        spaces = spaces_on_disk(index)
        reports = {space.name: _repair(Layout(path_of(index, space))) for space in spaces.spaces}
        if spaces.names != (spaces.main.name,) or spaces.main.folder != ".":
            write_spaces(index, spaces)
    main = reports.pop(spaces.main.name)
    others = reports.items()
    return replace(
        main,
        segments=main.segments + sum(report.segments for _, report in others),
        set_aside=(*main.set_aside, *(f"{name}/{segment}" for name, r in others for segment in r.set_aside)),
        columns_set_aside=(
            *main.columns_set_aside,
            *(f"{name}/{columns}" for name, r in others for columns in r.columns_set_aside),
        ),
    )


def _repair(layout: Layout) -> RepairReport:
    shutil.rmtree(layout.tmp, ignore_errors=True)
    published = _published(layout)
    set_aside = _set_aside_damaged(layout)
    records = outermost(complete_segments(layout))
    computed = newest_on_disk(layout) if published is None else published.computed
    sound = [ref for ref in computed if not _derived_damage(layout, ref.file)]
    damaged = [ref for ref in computed if ref not in sound]
    manifest = derive(
        layout,
        replace(_manifest_of(layout, published, records), computed=tuple(sound)),
        Sources([record.segment.name for record in records]),
    )
    for ref in damaged:
        _set_aside(layout, layout.path / ref.file.name)
    write_manifest(layout, manifest)
    collect_garbage(layout, manifest)
    names = tuple(ref.name for ref in damaged)
    return RepairReport(manifest.version, manifest.rows, len(manifest.segments), tuple(set_aside), names)


def _set_aside_damaged(layout: Layout) -> list[str]:
    names = []
    for folder in sorted(layout.segments.iterdir()):
        try:
            sound = not damage(layout, read_record(folder).segment)
        except IndexDamaged:
            sound = False
        if not sound:
            _set_aside(layout, folder)
            names.append(folder.name)
    return names


def _set_aside(layout: Layout, path: Path) -> None:
    """Move a file or folder to `broken/`, where it is there."""
    broken = layout.path / "broken"
    broken.mkdir(exist_ok=True)
    shutil.rmtree(broken / path.name, ignore_errors=True)
    with suppress(FileNotFoundError):
        path.replace(broken / path.name)


def _published(layout: Layout) -> Manifest | None:
    """The published manifest, if it can be read."""
    try:
        return read_manifest(layout.manifest(published_version(layout)))
    except WrittenByNewer:
        raise
    except ClipsearchError:
        return None


def _manifest_of(layout: Layout, published: Manifest | None, records: list[SegmentRecord]) -> Manifest:
    """The manifest to rebuild: the published one if it can be read, else what the segments say."""
    segments = tuple(record.segment for record in records)
    versions = [int(p.stem) for p in layout.versions.glob("*.json") if p.stem.isdigit()]
    version = max(versions, default=0) + 1
    roots = {root.alias: root for record in records for root in record.roots}
    next_id = max((record.next_id for record in records), default=1)
    if published is None:
        if not records:
            raise IndexDamaged(
                f"{layout.path} holds neither a readable manifest nor a sound segment; index your pictures anew."
            )
        nothing = FileRef("", 0, "")
        return Manifest(
            version,
            "",
            records[-1].model,
            rows=0,
            failures=0,
            next_id=next_id,
            catalog=nothing,
            ann=nothing,
            places=nothing,
            roots=tuple(roots.values()),
            segments=segments,
        )
    roots |= {root.alias: root for root in published.roots}
    return replace(
        published,
        version=version,
        next_id=max(next_id, published.next_id),
        roots=tuple(roots.values()),
        segments=segments,
    )
