"""Pictures that cannot be read: each fails with its reason, quickly, quietly and in little memory."""

from __future__ import annotations

import logging
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from clipsearch.pictures import decode as decode_module
from clipsearch.pictures import read_picture
from tests.pictures.formats import PICTURES, fails

# pytest puts its own filters over those the package sets; test_nothing_is_printed looks at the real ones.
pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning:PIL"), pytest.mark.usefixtures("heif")]


def test_failures(scene, encode):
    assert fails(b"").reason == "empty"
    assert fails(b"Dear diary, today I took no photos.").reason == "not a picture"
    assert fails(b"<svg xmlns='http://www.w3.org/2000/svg'/>").reason == "not a picture"
    assert fails(b"%!PS-Adobe-3.0 EPSF-3.0\n").reason == "not a picture"
    png = bytearray(encode(scene, "PNG"))
    png[60] ^= 0xFF
    assert fails(bytes(png)).reason == "corrupt"
    assert str(fails(bytes(png))).endswith("; copy it again.")


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("draft", [None, (4, 4)])
def test_truncated(name, share, draft, scene, encode):
    data = encode(scene, PICTURES[name][0], **PICTURES[name][1])
    reason = fails(data[: int(len(data) * share)], draft=draft).reason
    assert reason == "truncated" or share == 0.1 or name == "ICO"


def test_truncated_shortly_before_the_end(photos):
    data = photos[0].read_bytes()
    assert fails(data[:-10]).reason == "truncated"


def huge_png(width: int, height: int) -> bytes:
    """A valid all-black greyscale PNG, compressed as it is made."""
    packer = zlib.compressobj(9)
    row = bytes(1 + width)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def test_pixel_limit(scene, encode):
    assert read_picture(huge_png(500, 400), max_pixels=200_000).image.size == (500, 400)
    error = fails(huge_png(500, 401), max_pixels=200_000)
    assert error.reason == "too large"
    assert "500 x 401" in str(error)
    assert "--max-pixels" in str(error)


def test_pixel_limit_is_ours_not_pillows(monkeypatch):
    monkeypatch.setattr(decode_module, "to_rgb", lambda image: image.crop((0, 0, 1, 1)).convert("RGB"))
    limit = Image.MAX_IMAGE_PIXELS
    assert read_picture(huge_png(20_000, 9_500)).facts.height == 9_500  # Pillow alone refuses 179 megapixels
    assert limit == Image.MAX_IMAGE_PIXELS


BOMB = """
import re, sys
from pathlib import Path
from clipsearch.errors import PictureError
from clipsearch.pictures import read_picture
def peak():  # of this process alone; ru_maxrss begins with what its parent had
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
try:
    read_picture(Path(sys.argv[1]))
except PictureError as error:
    print(error.reason, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_decompression_bomb_costs_little_memory(tmp_path):
    # The header promises 50,000 x 50,000; deflate makes 2.5 MB of 2.5 GB, and a tenth of that serves as well.
    bomb = huge_png(50_000, 5_000).replace(struct.pack(">II", 50_000, 5_000), struct.pack(">II", 50_000, 50_000), 1)
    header = bomb.index(b"IHDR")
    bomb = bomb[: header + 17] + struct.pack(">I", zlib.crc32(bomb[header : header + 17])) + bomb[header + 21 :]
    (tmp_path / "bomb.png").write_bytes(bomb)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BOMB, str(tmp_path / "bomb.png")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(decode_module.__file__).parents[2],
    )
    reason, kilobytes = done.stdout.rsplit(maxsplit=1)
    assert reason == "too large"
    assert int(kilobytes) < 50_000
    assert not done.stderr


QUIET = """
import sys
from pathlib import Path
from clipsearch.errors import PictureError
from clipsearch.pictures import read_picture
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        read_picture(path)
    except PictureError:
        pass
"""


def test_nothing_is_printed(tmp_path, scene, encode):
    exif = Image.Exif()
    exif[0x010E] = "x" * 50
    broken = encode(scene, "JPEG", exif=exif.tobytes()[:40])
    (tmp_path / "exif.jpg").write_bytes(broken)
    (tmp_path / "short.jpg").write_bytes(broken[:300])
    (tmp_path / "short.tif").write_bytes(encode(scene, "TIFF")[:200])
    (tmp_path / "bomb.png").write_bytes(huge_png(12_000, 8_000))  # Pillow alone warns from 89 megapixels
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", QUIET, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(decode_module.__file__).parents[2],
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("PIL").handlers)


def test_memory_error_is_a_failure(monkeypatch, scene, encode):
    def no_memory(_: object) -> Image.Image:
        raise MemoryError

    monkeypatch.setattr(decode_module, "to_rgb", no_memory)
    assert fails(encode(scene, "PNG")).reason == "too large"


def test_heic_without_the_extra(monkeypatch, scene, encode):
    data = encode(scene, "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    decode_module._formats.cache_clear()
    try:
        error = fails(data)
    finally:
        decode_module._formats.cache_clear()
    assert error.reason == "unreadable"
    assert "clipsearch[heif]" in str(error)
