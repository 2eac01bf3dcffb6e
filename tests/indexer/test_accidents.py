"""What goes wrong around a run costs at most what it hit: a clear sentence, and an index to go on with."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from clipsearch.errors import ModelError, PictureError, SourceError
from clipsearch.pictures import content_hash
from clipsearch.pictures.for_model import Target, decode_for
from clipsearch.pictures.isolated import Decoders, Looked, all_wanted
from clipsearch.types import Preprocessing


def bmp(width: int, seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (9, width, 3), dtype=np.uint8)).save(buffer, "bmp")
    return buffer.getvalue()


@pytest.mark.parametrize(("width", "reason", "says"), [(13, "crashed", "crashed"), (17, "too slow", "longer than 1 s")])
def test_a_decoder_that_crashes_or_hangs_costs_its_picture(album, bad_decoder, width, reason, says):
    album.paint_many(12)
    album.put("p005b.bmp", bmp(width))
    album.put("p006b.bmp", bmp(20))
    report = album.build(batch_size=4)
    assert (report.embedded, report.failed, report.total) == (13, 1, 13)
    assert album.failures() == {"p005b.bmp": reason}
    with album.open() as index:
        assert says in index.failures()[0]["message"]
    undisturbed = album.fresh()
    (album.folder / "p005b.bmp").unlink()
    undisturbed.build(batch_size=4)
    assert album.facts() == undisturbed.facts()
    assert album.build().failed == 0


def test_a_group_loses_only_what_cannot_be_read(bad_decoder, tmp_path):
    (tmp_path / "there.bmp").write_bytes(bmp(21))
    sources = [
        bmp(20),
        bmp(13),
        str(tmp_path / "there.bmp"),
        bmp(17),
        b"",
        str(tmp_path / "gone.bmp"),
        bmp(22),
        bmp(23),
    ]
    unwanted = content_hash(bmp(22))
    target = Target(Preprocessing(16, 16), 1_000_000)
    with Decoders(1, target) as decoders:
        group = decoders.look(sources, lambda hashes: [content != unwanted for content in hashes])
    reasons = [one.reason if isinstance(one, PictureError) else None for one in group.pictures]
    assert reasons == [None, "crashed", None, "too slow", "empty", "missing", None, None]
    assert group.pictures[6] == Looked(len(bmp(22)), unwanted)
    for place, width in ((0, 20), (2, 21), (7, 23)):
        expected = decode_for(target, bmp(width))
        np.testing.assert_array_equal(group.pictures[place].decoded.pixels, expected.pixels)
        assert group.pictures[place].decoded.facts == expected.facts


def test_reading_that_ends_its_process_costs_one_picture(slow_disk, tmp_path):
    """As the system's killer does where a file is too large; who it was over shows when they are read one by one."""
    for number in range(4):
        (tmp_path / f"{number}.bmp").write_bytes(bmp(20 + number))
    sources = [str(tmp_path / name) for name in ("0.bmp", "1.bmp", "kill", "2.bmp", "3.bmp")]
    with Decoders(1, Target(Preprocessing(16, 16), 1_000_000)) as decoders:
        group = decoders.look(sources, all_wanted)
    reasons = [one.reason if isinstance(one, PictureError) else None for one in group.pictures]
    assert reasons == [None, None, "crashed", None, None]
    assert [one.decoded.facts.width for one in group.pictures if isinstance(one, Looked)] == [20, 21, 22, 23]


def test_decoders_that_ended_since_the_model_took_its_time_cost_nothing(album, impatient_decoder):
    album.paint_many(24)
    encode = album.encoder.encode_images

    def slow(pixels):
        time.sleep(1.2)
        return encode(pixels)

    album.encoder.encode_images = slow
    report = album.build(batch_size=4)
    assert (report.embedded, report.failed) == (24, 0)


def test_memory_that_is_too_small_for_a_batch(album):
    album.paint_many(24)
    encode, sizes = album.encoder.encode_images, []

    def little_memory(pixels):
        sizes.append(len(pixels))
        if len(pixels) > 3:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return encode(pixels)

    album.encoder.encode_images = little_memory
    assert album.build(batch_size=8).embedded == 24
    # Tried once with 8, once with 4, from then on with 2.
    assert sizes == [8, 4, *[2] * 12]
    album.encoder.encode_images = encode
    undisturbed = album.fresh()
    undisturbed.build(batch_size=8)
    assert album.facts() == undisturbed.facts()


def test_no_memory_at_all(album):
    album.paint_many(3)

    def none(pixels):
        raise MemoryError

    album.encoder.encode_images = none
    with pytest.raises(ModelError, match="not enough memory"):
        album.build()
    album.assert_sound()


def test_a_source_that_disappears_half_way(album):
    album.paint_many(40)
    aside = album.folder.with_name("unplugged")
    encode = album.encoder.encode_images

    def unplug(pixels):
        if album.folder.exists():
            album.folder.rename(aside)
        return encode(pixels)

    album.encoder.encode_images = unplug
    with pytest.raises(SourceError, match="is its disk still there"):
        album.build(batch_size=2)
    done = len(album.paths())
    assert 2 <= done < 40
    assert album.failures() == {}
    aside.rename(album.folder)
    album.encoder.encode_images = encode
    report = album.build(batch_size=2)
    assert (report.embedded, report.unchanged, report.removed) == (40 - done, done, 0)
    album.assert_sound()


def in_a_mount_of_its_own(script: str, env: dict[str, str]) -> str:
    """Run shell commands with mounts that nobody else sees."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("this system lets us mount nothing")
    done = subprocess.run(["unshare", "-rm", "sh", "-ec", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


BUILD = """
import sys
from pathlib import Path
from toy import ToyEncoder
import clipsearch
from clipsearch_indexer import pace
pace.PUBLISH_SHARE = 0
try:
    report = clipsearch.build(sys.argv[1], sys.argv[2], encoder=ToyEncoder(), batch_size=4, publish_every=0)
    print("done", report.embedded, report.total)
except clipsearch.ClipsearchError as error:
    print(type(error).__name__, error)
try:
    with clipsearch.open(sys.argv[2], encoder=ToyEncoder()) as index:
        assert clipsearch.verify(sys.argv[2]).problems == ()
        print("found", len(index.search("red", k=1000)))
except clipsearch.ClipsearchError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("free", ["40k", "1500k"])
def test_a_full_disk(album, subprocess_env, tmp_path, free):
    """Too small for an index at all, and for all pictures."""
    album.paint_many(48)
    (tmp_path / "build.py").write_text(BUILD)
    run = f"{sys.executable} {tmp_path}/build.py {album.folder} {tmp_path}/disk/photos.index"
    said = in_a_mount_of_its_own(
        f"mkdir {tmp_path}/disk; mount -t tmpfs -o size={free} tmpfs {tmp_path}/disk; {run}\n"
        f"mount -o remount,size=100m {tmp_path}/disk; {run}",
        subprocess_env,
    ).splitlines()
    assert said[0].startswith("DiskFull The disk is full")
    assert said[1].startswith(("found", "IndexNotFound"))
    found = int(said[1].split()[1]) if said[1].startswith("found") else 0
    assert found > 0 or free != "1500k"
    assert said[2].split()[0] == "done"
    assert said[2].split()[2] == "48"
    assert int(said[2].split()[1]) <= 48 - found
    assert said[3] == "found 48"


def test_a_read_only_index(album, subprocess_env, tmp_path):
    album.paint_many(8)
    album.build()
    album.paint("new.png")
    (tmp_path / "build.py").write_text(BUILD)
    said = in_a_mount_of_its_own(
        f"mount --bind {album.index} {album.index}; mount -o remount,bind,ro {album.index}\n"
        f"{sys.executable} {tmp_path}/build.py {album.folder} {album.index}",
        subprocess_env,
    ).splitlines()
    assert said[0].startswith(f"UsageError {album.index} cannot be written to (Read-only file system)")
    assert said[1] == "found 8"
