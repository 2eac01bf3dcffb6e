"""The manifest of a published version: what it is made of, in JSON a person can read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec

from clipsearch.ann.recipes import OperatingPoint, RecipeName, Tuning
from clipsearch.errors import IndexDamaged, IndexNotFound, ModelMismatch
from clipsearch.store.layout import Layout, checksum, replacing
from clipsearch.types import TrainedInfo

SCHEMA_VERSION = 2


class WrittenByNewer(IndexDamaged):
    """The index is sound, but of a kind that this version of clipsearch does not know."""


@dataclass(frozen=True, slots=True)
class ModelRef:
    """The model whose vectors an index holds."""

    name: str
    fingerprint: str
    dim: int


def require_same_model(index: ModelRef, name: str, fingerprint: str) -> None:
    """Refuse to put another model's vectors beside those of an index.

    Raises:
        ModelMismatch: `fingerprint`, of the model called `name`, is not that of the index's model.
    """
    if fingerprint != index.fingerprint:
        raise ModelMismatch(
            f"The index was made with {index.name} ({index.fingerprint[:8]}), and the vectors of {name} "
            f"({fingerprint[:8]}) do not compare with its own; leave out --model to go on with {index.name}, "
            f"or index into a new folder with --index DIR."
        )


@dataclass(frozen=True, slots=True)
class Root:
    """A named folder that paths are relative to. `location` is absolute, or relative to the index directory where
    the index lives inside the root, so that both can be moved together."""

    alias: str
    location: str

    def resolve(self, index: Path) -> Path:
        """The folder as an absolute path."""
        # Not Path.resolve: a root reached through a link has to keep the name its user knows it by.
        return Path(os.path.normpath(index / self.location))


@dataclass(frozen=True, slots=True)
class FileRef:
    """A derived file of the index: its name, size in bytes and BLAKE2b-128."""

    name: str
    bytes: int
    checksum: str


def file_ref(path: Path) -> FileRef:
    """What a manifest says of a file."""
    return FileRef(path.name, path.stat().st_size, checksum(path))


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """A segment: the run of batches `first`..`last` it holds, its counts, and a checksum a file."""

    first: int
    last: int
    rows: int
    removals: int
    failures: int
    checksums: Mapping[str, str]

    @property
    def name(self) -> str:
        """Folder name; sorts in log order."""
        return f"{self.first:08d}-{self.last:08d}"


@dataclass(frozen=True, slots=True)
class TrainedRef:
    """The trained FAISS index of a version, beside which everything from id `below` on is searched exactly.

    `trained_on` is how many pictures there were when its lists were laid out, `codes` how many it holds, `dead` how
    many of these belong to pictures that are gone. `points` say how far to look for `recall`; `milliseconds` is what a
    query took when that was measured.
    """

    recipe: RecipeName
    index: FileRef
    lists: FileRef
    below: int
    trained_on: int
    codes: int
    dead: int
    recall: float
    list_count: int
    points: tuple[OperatingPoint, ...]
    milliseconds: float

    @property
    def info(self) -> TrainedInfo:
        """What users are told of it."""
        point = self.points[0]
        held = self.index.bytes + self.lists.bytes
        return TrainedInfo(
            recipe=self.recipe,
            lists=self.list_count,
            probes=point.probes,
            candidates=point.candidates,
            recall_pictures=point.recalls[0],
            recall_texts=point.recalls[1],
            milliseconds=self.milliseconds,
            bytes_per_vector=held / self.codes,
        )


@dataclass(frozen=True, slots=True)
class ComputedRef:
    """A set of columns computed for pictures that were indexed already (`clipsearch.store.computed`): its name, its
    file, and the names of its columns in `images`."""

    name: str
    file: FileRef
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One published version. `rows` counts the pictures in the catalog; ids below `next_id` are spent; of `records` the
    newest is the last."""

    version: int
    created_at: str
    model: ModelRef
    rows: int
    failures: int
    next_id: int
    catalog: FileRef
    ann: FileRef
    places: FileRef
    records: tuple[FileRef, ...] = ()
    trained: TrainedRef | None = None
    background: FileRef | None = None
    tuning: Tuning = field(default_factory=Tuning)
    roots: tuple[Root, ...] = ()
    segments: tuple[SegmentRef, ...] = ()
    computed: tuple[ComputedRef, ...] = ()
    schema_version: int = field(default=SCHEMA_VERSION)

    @property
    def derived(self) -> tuple[FileRef, ...]:
        """The files of this version: those derived from segments, and those of computed columns."""
        trained = (self.trained.index, self.trained.lists) if self.trained else ()
        background = (self.background,) if self.background else ()
        computed = (ref.file for ref in self.computed)
        return (self.catalog, self.ann, self.places, *self.records, *trained, *background, *computed)

    @property
    def last_batch(self) -> int:
        """The newest batch of the log this version includes; 0 when none."""
        return max((segment.last for segment in self.segments), default=0)


def read_manifest(path: Path) -> Manifest:
    """Read and validate a manifest file.

    Raises:
        IndexDamaged: it is missing, not JSON, or not a manifest this version of clipsearch can read.
    """
    try:
        data = json.loads(path.read_bytes())
        found = data.get("schema_version") if isinstance(data, dict) else None
        if isinstance(found, int) and found > SCHEMA_VERSION:
            raise WrittenByNewer(
                f"{path.parent.parent} was written by a newer clipsearch; upgrade clipsearch to open it."
            )
        if isinstance(found, int) and found < SCHEMA_VERSION:
            raise IndexDamaged(
                f"{path.parent.parent} was written by an older clipsearch; run `clipsearch repair --index "
                f"{path.parent.parent}` once, which embeds nothing again."
            )
        return msgspec.convert(data, Manifest)
    except FileNotFoundError:
        raise IndexDamaged(f"{path} is missing; run `clipsearch repair --index {path.parent.parent}`.") from None
    except (ValueError, msgspec.ValidationError, OSError):
        raise IndexDamaged(f"{path} is damaged; run `clipsearch repair --index {path.parent.parent}`.") from None


def write_manifest(layout: Layout, manifest: Manifest) -> None:
    """Write a manifest, then make it the published version."""
    layout.versions.mkdir(exist_ok=True)
    with replacing(layout.manifest(manifest.version), layout.tmp) as draft:
        draft.write_text(json.dumps(asdict(manifest), indent=1) + "\n")
    with replacing(layout.current, layout.tmp) as draft:
        draft.write_text(f"{manifest.version:06d}\n")


def published_version(layout: Layout) -> int:
    """The number `CURRENT` names.

    Raises:
        IndexNotFound: there is no index here.
        IndexDamaged: `CURRENT` is missing from an index, or holds no number.
    """
    try:
        return int(layout.current.read_text())
    except (FileNotFoundError, NotADirectoryError):
        if layout.segments.is_dir() and any(layout.segments.iterdir()):
            raise IndexDamaged(f"{layout.current} is missing; run `clipsearch repair --index {layout.path}`.") from None
        raise IndexNotFound(f"There is no index at {layout.path}; make one with `clipsearch index FOLDER`.") from None
    except ValueError:
        raise IndexDamaged(f"{layout.current} is damaged; run `clipsearch repair --index {layout.path}`.") from None
