"""Any sequence of changes and runs against a model that is a dictionary."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from clipsearch.pictures import fit, read_picture
from tests.conftest import Album, encoded

NAMES = st.sampled_from(["a.png", "b.png", "c.png", "d/a.png", "d/b.png", "d/e/a.png"])
SEEDS = st.integers(0, 5)


class AlbumMachine(RuleBasedStateMachine):
    """`disk` is what the folder holds (seed by name, None for a bad file), `kept` what the index has to hold."""

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="clipsearch-"))
        self.album = Album(self.place / "photos", self.place / "photos.index")
        self.album.paint("anchor.png", 99)  # an empty folder is taken for an unmounted one
        self.disk: dict[str, int | None] = {"anchor.png": 99}
        self.kept: dict[str, int] = {}
        self.ids: dict[str, int] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)

    @rule(name=NAMES, seed=SEEDS)
    def write(self, name: str, seed: int) -> None:
        self.album.paint(name, seed)
        self.disk[name] = seed

    @rule(name=NAMES)
    def spoil(self, name: str) -> None:
        self.album.put(name, b"nothing")
        self.disk[name] = None

    @rule(name=NAMES)
    def touch(self, name: str) -> None:
        if name in self.disk:
            self.album.tick(self.album.folder / name)

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        if name in self.disk:
            (self.album.folder / name).unlink()
            del self.disk[name]

    @rule(name=NAMES, target_name=NAMES, keep=st.booleans())
    def move_or_copy(self, name: str, target_name: str, keep: bool) -> None:
        if name in self.disk and name != target_name:
            source, target = self.album.folder / name, self.album.folder / target_name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copy2 if keep else shutil.move)(source, target)
            self.album.tick(target)
            self.disk[target_name] = self.disk[name]
            if not keep:
                del self.disk[name]

    @rule(batch_size=st.sampled_from([1, 2, 100]), keep_missing=st.booleans())
    def build(self, batch_size: int, keep_missing: bool) -> None:
        new = {name: seed for name, seed in self.disk.items() if seed is not None}
        known = set(self.kept.values())
        report = self.album.build(batch_size=batch_size, keep_missing=keep_missing, workers=1)
        assert report.embedded == len(set(new.values()) - known)
        rows = self.album.rows()
        missing = {name: seed for name, seed in self.kept.items() if name not in self.disk}
        if keep_missing:
            # A picture that lives on under another name is not missing.
            assert set(new) <= set(rows) <= set(new) | set(missing)
            self.kept = new | {name: seed for name, seed in missing.items() if name in rows}
            assert {seed for name, seed in missing.items()} <= set(self.kept.values())
        else:
            self.kept = new
        self.check(rows, report)

    def check(self, rows: dict, report) -> None:
        assert set(rows) == set(self.kept)
        assert report.total == len(self.kept)
        bad = {name for name, seed in self.disk.items() if seed is None}
        assert set(self.album.failures()) == bad
        ids = {name: row["id"] for name, row in rows.items()}
        assert len(set(ids.values())) == len(ids)
        for name, row in rows.items():
            if self.ids.get(name) == row["id"]:
                continue
            earlier = [old for old, picture_id in self.ids.items() if picture_id == row["id"]]
            assert all(old not in rows or rows[old]["id"] != row["id"] for old in earlier)
        self.ids = ids
        vectors = self.album.vectors()
        assert vectors == {name: vector_of(seed) for name, seed in self.kept.items()}

    @precondition(lambda self: self.kept)
    @rule(seed=SEEDS, k=st.integers(1, 8))
    def search(self, seed: int, k: int) -> None:
        with self.album.open() as index:
            hits = index.search(image=encoded(seed), k=k)
        assert len(hits) == min(k, len(self.kept))
        query = np.frombuffer(vector_of(seed), np.float16).astype(np.float64)
        scores = [np.frombuffer(vector_of(s), np.float16).astype(np.float64) @ query for s in self.kept.values()]
        np.testing.assert_allclose([hit.score for hit in hits], sorted(scores, reverse=True)[:k], atol=2e-3)


def vector_of(seed: int) -> bytes:
    """What has to be stored for a picture."""
    from toy import ToyEncoder

    encoder = ToyEncoder()
    pixels = fit(read_picture(encoded(seed)).image, encoder.preprocessing)
    return encoder.encode_images(pixels[None])[0].astype(np.float16).tobytes()


AlbumMachine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnySequenceOfChanges = AlbumMachine.TestCase
