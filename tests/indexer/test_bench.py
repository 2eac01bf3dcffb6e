"""The benchmark of indexing: what it makes, what it measures, what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import clipsearch
from clipsearch.errors import ClipsearchError, UsageError
from clipsearch.models.names import MINI
from clipsearch_indexer.bench import bench_index, make_pictures
from clipsearch_indexer.bench.cosines import Reference
from clipsearch_indexer.bench.memory import memory_of, watched

SMALL = ((80, 60), (96, 54))


def test_made_pictures_have_their_sizes_and_are_the_same_each_time(tmp_path):
    make_pictures(tmp_path / "a", 5, sizes=SMALL)
    make_pictures(tmp_path / "b", 5, sizes=SMALL)
    files = sorted((tmp_path / "a").iterdir())
    assert [Image.open(file).size for file in files] == [SMALL[0], SMALL[1], SMALL[0], SMALL[1], SMALL[0]]
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in sorted((tmp_path / "b").iterdir())]


def test_an_original_that_is_used_again_makes_another_picture(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    make_pictures(tmp_path / "made", 24, sizes=[(60, 40)], originals=[tmp_path / "one.png"])
    contents = {file.read_bytes() for file in (tmp_path / "made").iterdir()}
    assert len(contents) == 24


def test_what_is_there_is_left_alone(tmp_path):
    (tmp_path / "000001.jpg").write_bytes(b"mine")
    told: list[int] = []
    make_pictures(tmp_path, 3, sizes=SMALL, tell=told.append)
    assert (tmp_path / "000001.jpg").read_bytes() == b"mine"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["000000.jpg", "000001.jpg", "000002.jpg"]
    assert told == [1, 2, 3]


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_memory_is_that_of_a_process_and_its_children():
    megabytes = 64
    child = f"import time; held = bytearray(b'x') * ({megabytes} << 20); print(flush=True); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, start_new_session=True) as run:
        assert run.stdout is not None
        run.stdout.readline()  # the child holds it by now
        with watched(run.pid) as peak:
            time.sleep(1.2)
        held = memory_of(run.pid)
        os.killpg(run.pid, 9)
    assert megabytes << 20 < held < (megabytes + 60) << 20
    assert peak.bytes is not None
    assert abs(peak.bytes - held) < 8 << 20


def test_cosines_are_those_to_open_clip_alone(tmp_path):
    make_pictures(tmp_path / "made", 4, sizes=[(640, 480)])
    clipsearch.build(tmp_path / "made", tmp_path / "i", model="mini")
    config = open_clip.create_model_and_transforms(f"local-dir:{MINI}", load_weights=False)
    network, transform = config[0].eval(), config[2]
    network.load_state_dict({k: v.float() for k, v in load_file(MINI / "open_clip_model.safetensors").items()})
    with clipsearch.open(tmp_path / "i") as index, torch.inference_mode():
        rows = index.sql("select id, path from images order by id").to_pylist()
        stored = index.vectors([row["id"] for row in rows]).astype(np.float64)
        pixels = torch.stack([transform(Image.open(tmp_path / "made" / row["path"])) for row in rows])
        truth = network.encode_image(pixels, normalize=True).numpy().astype(np.float64)
    wanted = (truth * stored).sum(axis=1) / np.linalg.norm(stored, axis=1) / np.linalg.norm(truth, axis=1)
    assert Reference("mini", offline=True).cosines(tmp_path / "i") == pytest.approx(wanted, abs=2e-6)


@pytest.mark.slow
def test_a_whole_run_is_measured(tmp_path):
    make_pictures(tmp_path / "made", 20, sizes=SMALL)
    told: list[str] = []
    started = time.perf_counter()
    [row] = bench_index(
        tmp_path / "made",
        engines=["onnx"],
        device="cpu",
        offline=True,
        tell=lambda what, done, total: told.append(what),
    )
    seconds = time.perf_counter() - started
    assert (row.engine, row.pictures) == ("onnx", 20)
    assert 20 / seconds < row.images_per_second == 20 / row.timing.seconds
    assert row.share == row.images_per_second / row.fed
    assert row.fed > 1
    assert 0.999 <= row.cosine_least <= row.cosine_median <= 1.00001
    assert "mini, onnx: embedding" in told


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(ClipsearchError, match="no pictures"):
        bench_index(tmp_path / "none", engines=["onnx"], offline=True)


def test_engines_are_checked_before_anything_is_made():
    with pytest.raises(UsageError, match="no engine 'quick'"):
        bench_index(engines=["quick"], tell=lambda *_: pytest.fail("something was done"))
    with pytest.raises(UsageError, match="At least one"):
        bench_index(pictures=0)
