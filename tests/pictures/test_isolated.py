from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from clipsearch.errors import ClipsearchError, PictureError
from clipsearch.pictures import appearance, fit, isolated, read_picture
from clipsearch.pictures.for_model import Target
from clipsearch.pictures.isolated import Decoders
from clipsearch.types import Preprocessing
from tests.pictures.formats import PICTURES

WANTED = Preprocessing(40, 24)
TARGET = Target(WANTED, 1_000_000)

pytestmark = pytest.mark.usefixtures("heif")


def decode(decoders: Decoders, source: bytes | str):
    return decoders.decode(source).decoded


def test_every_format_is_as_decoded_here(scene, encode):
    contents = [encode(scene, PICTURES[name][0], **PICTURES[name][1]) for name in PICTURES] * 3
    with Decoders(2, TARGET) as decoders, ThreadPoolExecutor(4) as pool:
        for data, decoded in zip(contents, pool.map(lambda data: decode(decoders, data), contents), strict=True):
            picture = read_picture(data, draft=(40, 24))
            assert (decoded.facts, decoded.looks) == (picture.facts, appearance(picture.image))
            np.testing.assert_array_equal(decoded.pixels, fit(picture.image, WANTED))


def test_pictures_of_two_models_one_after_the_other(scene, encode):
    for side in (16, 64, 8):
        with Decoders(1, Target(Preprocessing(side, side), 1_000_000)) as decoders:
            decoded = decode(decoders, encode(scene, "PNG"))
        np.testing.assert_array_equal(decoded.pixels, fit(scene, Preprocessing(side, side)))


def test_what_cannot_be_decoded_says_the_same(scene, encode):
    large = encode(scene.resize((2000, 1000)), "PNG")
    with Decoders(1, TARGET) as decoders:
        for data in (b"", b"no picture", encode(scene, "PNG")[:300], encode(scene, "JPEG")[:300], large):
            with pytest.raises(PictureError) as here:
                read_picture(data, max_pixels=1_000_000)
            with pytest.raises(PictureError) as there:
                decode(decoders, data)
            assert (there.value.reason, str(there.value)) == (here.value.reason, str(here.value))


def test_a_process_that_somebody_ends_costs_no_picture(scene, encode):
    with Decoders(1, TARGET) as decoders:
        for _ in range(3):
            assert decode(decoders, encode(scene, "PNG")).facts.width == 96
            decoders._processes[0]._process.kill()


def test_a_process_that_cannot_start_is_not_the_pictures_fault(monkeypatch, scene, encode):
    monkeypatch.setattr(isolated, "_SPARE", [])
    monkeypatch.setattr(sys, "path", [])
    with Decoders(1, TARGET) as decoders, pytest.raises(ClipsearchError, match="exit status 1") as caught:
        decode(decoders, encode(scene, "PNG"))
    assert not isinstance(caught.value, PictureError)


def test_processes_end_with_the_one_that_started_them(subprocess_env):
    code = (
        "import os\nfrom clipsearch.pictures import isolated\nisolated.prestart()\n"
        "print(isolated._SPARE[0]._process.pid, flush=True)\nos._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=subprocess_env, capture_output=True, text=True, check=True)
    gone = f"import os, time\nfor _ in range(200):\n    os.kill({done.stdout}, 0)\n    time.sleep(0.05)\n"
    ended = subprocess.run([sys.executable, "-c", gone], capture_output=True, text=True, check=False)
    assert "ProcessLookupError" in ended.stderr


def test_they_load_nothing_that_takes_long(subprocess_env):
    code = "import clipsearch.pictures.worker, sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=subprocess_env, capture_output=True, text=True, check=True)
    assert not {"torch", "pyarrow", "duckdb", "faiss", "multiprocessing"} & set(done.stdout.split())
