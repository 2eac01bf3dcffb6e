"""Where each file of an index directory lives, and how files are put there so that a crash leaves them whole or absent.

photos.index/
  CURRENT                      name of the published version
  versions/000012.json         manifest
  segments/<first>-<last>/     vectors.npy, rows.parquet, removals.parquet, failures.parquet, segment.json
  catalog-000012.duckdb        published metadata
  ann-000012.faiss             published FAISS index, exact; beside a trained one, of what is newer than that
  ivf-000009.faiss, .lists     published FAISS index, trained: what was learnt, and the codes
  places-000012.npy            where each id's vector lies
  records-000012.arrow         published metadata by id; several, the newest last
  background-000012.npz        statistics of the vectors
  computed-000012-label.parquet  columns computed after indexing, here a set called label
  spaces.json, spaces/NAME/    further embedding spaces, each an index directory like this one
  writer.lock, writer.json     who is writing
  tmp/                         work in progress of the one writer
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clipsearch.errors import UsageError

_CHUNK = 1 << 20

_DERIVED = (
    "catalog-*.duckdb",
    "ann-*.faiss",
    "ivf-*.faiss",
    "ivf-*.lists",
    "places-*.npy",
    "records-*.arrow",
    "background-*.npz",
    "computed-*.parquet",
)


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths inside one index directory."""

    path: Path

    @property
    def current(self) -> Path:
        """The file that names the published version."""
        return self.path / "CURRENT"

    @property
    def versions(self) -> Path:
        """Folder of manifests."""
        return self.path / "versions"

    @property
    def segments(self) -> Path:
        """Folder of segments."""
        return self.path / "segments"

    @property
    def tmp(self) -> Path:
        """Folder of unfinished files; the writer empties it when it starts."""
        return self.path / "tmp"

    @property
    def lock(self) -> Path:
        """The writer's lock file."""
        return self.path / "writer.lock"

    @property
    def holder(self) -> Path:
        """What the lock's holder says of itself."""
        return self.path / "writer.json"

    def manifest(self, version: int) -> Path:
        """Manifest of a version."""
        return self.versions / f"{version:06d}.json"

    def catalog(self, version: int) -> Path:
        """Catalog made by a version."""
        return self.path / f"catalog-{version:06d}.duckdb"

    def ann(self, version: int) -> Path:
        """Exact FAISS index made by a version."""
        return self.path / f"ann-{version:06d}.faiss"

    def trained(self, version: int) -> Path:
        """Trained FAISS index made by a version."""
        return self.path / f"ivf-{version:06d}.faiss"

    def lists(self, version: int) -> Path:
        """The lists of the trained index made by a version."""
        return self.path / f"ivf-{version:06d}.lists"

    def places(self, version: int) -> Path:
        """Where each id's vector lies, as of a version."""
        return self.path / f"places-{version:06d}.npy"

    def records(self, version: int) -> Path:
        """Metadata by id of the pictures that a version brought, or of all."""
        return self.path / f"records-{version:06d}.arrow"

    def background(self, version: int) -> Path:
        """Statistics of the vectors, measured by a version."""
        return self.path / f"background-{version:06d}.npz"

    def computed(self, version: int, name: str) -> Path:
        """A set of computed columns, as written for a version."""
        return self.path / f"computed-{version:06d}-{name}.parquet"

    def derived(self) -> list[Path]:
        """Every file on disk that belongs to some version, or did."""
        return [path for kind in _DERIVED for path in self.path.glob(kind)]


def looks_like_index(path: Path) -> bool:
    """Whether a folder is an index directory (complete or interrupted at birth, or with all of it in its spaces)."""
    if (path / "CURRENT").is_file() or (path / "spaces.json").is_file():
        return True
    return (path / "segments").is_dir() and (path / "versions").is_dir()


def make_folder(path: Path) -> None:
    """Make an index folder.

    Raises:
        UsageError: it cannot be made there.
    """
    if "?" in str(path):  # DuckDB takes what follows for options
        raise UsageError(
            f"{path} has a question mark, which DuckDB cannot have in a path; name another with --index DIR."
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"An index cannot be made at {path} ({error.strerror}); name another place with --index DIR."
        ) from None


def checksum(path: Path) -> str:
    """BLAKE2b-128 of a file, as hex."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def fsync_file(path: Path) -> None:
    """Force a file's content to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def fsync_folder(path: Path) -> None:
    """Force a folder's entries to the disk, where the platform can."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(target: Path, tmp: Path) -> Iterator[Path]:
    """Write `target` as a whole or not at all: yields a path to write to, then fsyncs and renames it over `target`."""
    tmp.mkdir(parents=True, exist_ok=True)
    draft = tmp / target.name
    draft.unlink(missing_ok=True)
    try:
        yield draft
        fsync_file(draft)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    fsync_folder(target.parent)
