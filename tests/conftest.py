"""What tests of several rooms share: an album of small pictures with its index, and Parquet shards of pictures."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a worker for each core; before anything is loaded

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from hypothesis import settings
from PIL import Image

import clipsearch
from clipsearch.pictures import resize
from clipsearch.store.catalog import Catalog
from clipsearch.store.snapshot import Snapshot

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.append(str(HERE))

from toy import ToyEncoder  # noqa: E402

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background deaf to Ctrl-C, and every program that we start and interrupt with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Where a change is judged, the same examples for everybody; elsewhere others each time.
settings.register_profile("suite", max_examples=50, deadline=None, derandomize="CI" in os.environ)
settings.load_profile("suite")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A worker more than there are cores: tests with a browser or another process wait a third of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The page's long files first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: HERE / "ui" not in item.path.parents)


WHEN_NOT_WHAT = ("id", "mtime_ns", "indexed_at", "segment", "segment_offset")
"""Columns that say when and where a row was written, not what the picture is."""


def noise(seed: int, size: tuple[int, int] = (12, 9)) -> np.ndarray:
    """A picture of its own for each seed, uint8 [height, width, 3]."""
    return np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)


def encoded(seed: int, size: tuple[int, int] = (12, 9)) -> bytes:
    """The same as a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(noise(seed, size)).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture
def by_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are resized as open_clip and transformers do it, and where cykooz-resizer has no wheel."""
    monkeypatch.setattr(resize, "simd", None)


class Album:
    """A folder of small pictures and the index made of it."""

    def __init__(self, folder: Path, index: Path) -> None:
        self.folder, self.index = folder, index
        self.encoder = ToyEncoder()
        self._clock = 1_600_000_000
        folder.mkdir(parents=True, exist_ok=True)

    def tick(self, path: Path) -> Path:
        """Give a file a time of change that no other has: two edits may fall into one tick of a real clock."""
        self._clock += 10
        os.utime(path, (self._clock, self._clock))
        return path

    def put(self, name: str, data: bytes) -> Path:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return self.tick(path)

    def paint(self, name: str, seed: int | None = None, size: tuple[int, int] = (12, 9)) -> Path:
        """Write a picture of noise; its seed is made of its name where none is given."""
        return self.put(name, encoded(sum(name.encode()) * 7919 if seed is None else seed, size))

    def paint_many(self, count: int, first: int = 0) -> None:
        """Write `p000.png` and so on, each its own picture."""
        for number in range(first, first + count):
            self.paint(f"p{number:03d}.png", number)

    def fill(self, name: str, colour: str) -> Path:
        """Write a picture of one colour."""
        buffer = io.BytesIO()
        Image.new("RGB", (12, 9), colour).save(buffer, "png")
        return self.put(name, buffer.getvalue())

    def shard(self, name: str, columns: dict[str, Any] | pa.Table, **options: Any) -> Path:
        """Write a Parquet file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path, **options)
        return self.tick(path)

    def build(self, *sources: str | Path, **options: Any) -> clipsearch.IndexReport:
        """Index the folder, or the given sources, with the toy encoder."""
        settings = {"workers": 2, "encoder": self.encoder} | options
        return clipsearch.build(list(sources) or self.folder, self.index, **settings)

    def open(self) -> clipsearch.Index:
        """Open the index for searching."""
        return clipsearch.open(self.index, encoder=self.encoder)

    def rows(self) -> dict[str, dict[str, Any]]:
        """Every stored column of every picture, by path."""
        return stored_rows(self.index)

    def paths(self) -> set[str]:
        """Paths of the indexed pictures."""
        return set(self.rows())

    def vectors(self) -> dict[str, bytes]:
        """The bytes of every picture's stored vector, by path."""
        return {row["path"]: vector for row, vector in _rows_with_vectors(self.index)}

    def facts(self) -> dict[str, dict[str, Any]]:
        """What the index says of each picture apart from when and where it was written, its vector included."""
        return facts_of(self.index)

    def failures(self) -> dict[str, str]:
        """Reasons of failure, by path."""
        with self.open() as index:
            return {row["path"]: row["reason"] for row in index.failures()}

    def assert_sound(self) -> None:
        """`verify` finds nothing."""
        assert clipsearch.verify(self.index).problems == ()

    def fresh(self, index: str = "undisturbed.index") -> Album:
        """The same folder with an index of its own that no accident ever befell."""
        other = Album(self.folder, self.index.parent / index)
        shutil.rmtree(other.index, ignore_errors=True)
        return other


def _rows_with_vectors(index: Path) -> list[tuple[dict[str, Any], bytes]]:
    snapshot = Snapshot(index)
    try:
        ids = [i for (i,) in snapshot.catalog.fetch("SELECT id FROM pictures ORDER BY id")]
        rows = snapshot.catalog.stored(ids)
        return [(rows[i], v.tobytes()) for i, v in zip(ids, snapshot.vectors_of(ids), strict=True)]
    finally:
        snapshot.close()


def stored_rows(index: Path) -> dict[str, dict[str, Any]]:
    """Every stored column of every picture, by path; two rows of one path are an error."""
    rows = [row for row, _ in _rows_with_vectors(index)]
    by_path = {row["path"]: row for row in rows}
    assert len(by_path) == len(rows), "two rows of one path"
    return by_path


def facts_of(index: Path) -> dict[str, dict[str, Any]]:
    """As `Album.facts`, of any index."""
    return {
        row["path"]: {k: v for k, v in row.items() if k not in WHEN_NOT_WHAT} | {"vector": vector}
        for row, vector in _rows_with_vectors(index)
    }


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory):
    """What is kept for a user outside of indexes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "data"))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(autouse=True)
def _power_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests kill processes, never the machine; waiting for the disk is a third of their time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, _own_folders: None) -> tuple[Path, str]:
    """The index of the shipped gallery made by `clipsearch demo`, and what that printed: made once for all workers,
    to be read only."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    index, printed = place / "demo.index", place / "demo.txt"
    with FileLock(place / "demo.lock"):
        if not printed.exists():
            command = [sys.executable, "-m", "clipsearch", "demo", "--index", str(index)]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            assert result.returncode == 0, result.stderr
            printed.write_text(result.stdout)
    return index, printed.read_text()


@pytest.fixture
def album(tmp_path: Path) -> Album:
    return Album(tmp_path / "photos", tmp_path / "photos.index")


@pytest.fixture
def make_album(tmp_path: Path):
    """Make an album of the given folder and index, both relative to the test's own folder."""
    return lambda folder, index: Album(tmp_path / folder, tmp_path / index)


@pytest.fixture
def png():
    """The bytes of a picture by its seed."""
    return encoded


@pytest.fixture
def subprocess_env() -> dict[str, str]:
    """Environment of a subprocess that imports this checkout and the tests' helpers."""
    root = HERE.parent
    paths = [str(root), str(root / "indexer"), str(root / "ui"), str(HERE)]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def catalog_of():
    """The published catalog of an index, to be closed by the test."""

    def opened(index: Path) -> Catalog:
        snapshot = Snapshot(index)
        try:
            return Catalog(snapshot.layout.path / snapshot.manifest.catalog.name)
        finally:
            snapshot.close()

    return opened
