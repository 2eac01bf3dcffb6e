"""A real index of any number of pictures, made from vectors by the real writer: no picture is decoded.

Its pictures have believable facts, and two columns of their own to filter by: `lottery`, uniform in 0..1 and
independent of the vectors, and `shelf`, uniform in 0..1 too but with similar pictures side by side, so that
`shelf < 0.01` keeps a hundredth of the pictures, all of a kind.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clipsearch.store.layout import Layout
from clipsearch.store.manifest import ModelRef, Root
from clipsearch.store.probes import Probes, write_probes
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.writer import IndexWriter, open_for_writing

from .vectors import Floats, Shelves, World

SEGMENT = 131_072
PROBES = 300  # texts, about as many as the product embeds
CAMERAS = np.array(["Canon EOS R6", "iPhone 15 Pro", "NIKON Z 6", "Pixel 8", "SONY ILCE-7M4", "X-T5", "GR III", None])
CAMERA_SHARES = np.array([0.18, 0.27, 0.10, 0.14, 0.12, 0.05, 0.01, 0.13])
SIZES = np.array([(4032, 3024), (6000, 4000), (1920, 1080), (1024, 768), (640, 480)], np.int32)
THINGS = np.array(["dog", "cat", "horse", "bicycle", "boat", "house", "child", "flower", "mountain", "street"])
PLACES = np.array(["on the beach", "in the snow", "at home", "in the garden", "by the lake", "in town"])
FIRST_DAY, DAYS = np.datetime64("2005-01-01", "us"), 7600


@dataclass(frozen=True, slots=True)
class Made:
    """What an index cost to make."""

    append_seconds: float
    publish_seconds: float


def make_index(path: Path, rows: int, world: World, model: ModelRef) -> Made:
    """Make an index of the world's first `rows` pictures. Memory holds one segment of `SEGMENT` rows."""
    started = time.perf_counter()
    with open_for_writing(path, model) as writer:
        writer.roots["photos"] = Root("photos", "/photos")
        pending: list[tuple[Floats, Shelves]] = []
        for block in world.blocks(rows):
            pending.append(block)
            if sum(len(vectors) for vectors, _ in pending) >= SEGMENT:
                _append(writer, pending)
                pending = []
        if pending:
            _append(writer, pending)
        probes = Probes(world.probes(PROBES), "benchmark")
        write_probes(Layout(path), model.fingerprint, probes)
        appended = time.perf_counter()
        writer.publish()
    return Made(appended - started, time.perf_counter() - appended)


def _append(writer: IndexWriter, blocks: list[tuple[Floats, Shelves]]) -> None:
    vectors = np.concatenate([v.astype(np.float16) for v, _ in blocks])
    shelves = np.concatenate([s for _, s in blocks])
    ids = writer.take_ids(len(vectors))
    writer.append(rows_of(np.arange(ids.start, ids.stop), shelves), vectors)


def rows_of(ids: np.ndarray, shelves: Shelves) -> pa.Table:
    """Rows for `ids`, consecutive int64 [n], in the columns of `ROW_SCHEMA`, `lottery` and `shelf`."""
    rng, n = np.random.default_rng(int(ids[0])), len(ids)
    taken = FIRST_DAY + (rng.random(n) * DAYS * 86_400e6).astype("timedelta64[us]")
    size = SIZES[rng.choice(len(SIZES), n, p=(0.35, 0.2, 0.2, 0.15, 0.1))]
    turned = rng.random(n) < 0.25
    size[turned] = size[turned][:, ::-1]
    located = rng.random(n) < 0.3
    names = pc.binary_join_element_wise(
        pc.strftime(pa.array(taken), format="%Y/%m/"), "IMG_", pa.array(ids).cast(pa.string()), ".jpg", ""
    )
    things = THINGS[(shelves * len(THINGS)).astype(int)]
    caption = pc.binary_join_element_wise("a ", things, " ", PLACES[rng.integers(len(PLACES), size=n)], "")
    hashes = rng.integers(0, 256, (n, 16), dtype=np.uint8).view("S16").ravel()
    columns = {
        "id": ids,
        "root": pa.array(["photos"]).dictionary_encode().take(pa.array(np.zeros(n, np.int64))).cast(pa.string()),
        "path": names,
        "file": names,
        "content_hash": pa.array([digest.hex().ljust(32, "0") for digest in hashes.tolist()]),
        "bytes": (size.prod(axis=1) * rng.uniform(0.15, 0.5, n)).astype(np.int64),
        "mtime_ns": taken.astype("datetime64[ns]").astype(np.int64),
        "format": np.where(rng.random(n) < 0.93, "JPEG", "PNG").astype(object),
        "width": size[:, 0],
        "height": size[:, 1],
        "sharpness": rng.lognormal(5, 1, n).astype(np.float32),
        "perceptual_hash": rng.integers(-(2**63), 2**63, n),  # so no two are copies of one picture
        "taken_at": pa.array(taken, mask=rng.random(n) < 0.05),
        "camera": rng.choice(CAMERAS, n, p=CAMERA_SHARES),
        "latitude": pa.array(rng.normal(47, 8, n).clip(-90, 90), mask=~located),
        "longitude": pa.array(rng.uniform(-180, 180, n), mask=~located),
        "caption": pc.if_else(pa.array(rng.random(n) < 0.6), caption, pa.scalar(None, pa.string())),
        "indexed_at": np.full(n, np.datetime64("2026-01-01", "us")),
    }
    table = pa.table(
        {
            f.name: pa.array(columns[f.name]).cast(f.type) if f.name in columns else pa.nulls(n, f.type)
            for f in ROW_SCHEMA
        }
    )
    table = table.append_column("lottery", pa.array(rng.random(n)))
    return table.append_column("shelf", pa.array(shelves))
