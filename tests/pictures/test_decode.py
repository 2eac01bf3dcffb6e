from __future__ import annotations

import io
import logging
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from clipsearch.errors import PictureError
from clipsearch.pictures import decode as decode_module
from clipsearch.pictures import read_picture, upright_rgb

# pytest puts its own filters over those the package sets; test_nothing_is_printed looks at the real ones.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

PICTURES = {
    "JPEG": ("JPEG", {"quality": 95}),
    "JPEG progressive": ("JPEG", {"quality": 95, "progressive": True}),
    "PNG": ("PNG", {}),
    "GIF": ("GIF", {}),
    "WebP": ("WEBP", {"quality": 95}),
    "WebP lossless": ("WEBP", {"lossless": True}),
    "BMP": ("BMP", {}),
    "TIFF": ("TIFF", {}),
    "TIFF LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "AVIF": ("AVIF", {"quality": 95}),
    "JPEG 2000": ("JPEG2000", {}),
    "PPM": ("PPM", {}),
    "ICO": ("ICO", {"sizes": [(96, 64)]}),
    "HEIF": ("HEIF", {"quality": 95}),
}


def difference(image: Image.Image, wanted: Image.Image) -> float:
    assert image.mode == "RGB"
    assert image.size == wanted.size
    return float(np.abs(np.asarray(image, np.int16) - np.asarray(wanted.convert("RGB"), np.int16)).mean())


def fails(data: bytes | Path, **options) -> PictureError:
    with pytest.raises(PictureError) as caught:
        read_picture(data, **options)
    return caught.value


@pytest.fixture(scope="session", autouse=True)
def heif():
    pytest.importorskip("pillow_heif").register_heif_opener(thumbnails=False)


@pytest.mark.parametrize("name", PICTURES)
def test_formats(name, scene, encode):
    picture = read_picture(encode(scene, PICTURES[name][0], **PICTURES[name][1]))
    assert difference(picture.image, scene) < 6
    assert (picture.facts.width, picture.facts.height) == (96, 64)
    assert picture.facts.format == PICTURES[name][0]
    # The image is whole and needs its file no more.
    assert picture.image.resize((3, 3)).getpixel((0, 0)) == picture.image.copy().resize((3, 3)).getpixel((0, 0))


def test_path(tmp_path, scene, encode):
    (tmp_path / "scene.jpg").write_bytes(encode(scene, "JPEG"))
    assert read_picture(tmp_path / "scene.jpg").facts.format == "JPEG"
    assert fails(tmp_path / "gone.jpg").reason == "missing"
    assert fails(tmp_path / "scene.jpg" / "below.jpg").reason == "missing"
    assert fails(tmp_path).reason == "unreadable"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation(name, orientation, scene, encode):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = scene.copy()
    stored.getexif()[0x0112] = orientation
    picture = read_picture(encode(scene, name, exif=exif), draft=(4, 4))
    wanted = ImageOps.exif_transpose(stored).resize(picture.image.size)
    assert difference(picture.image, wanted) < 7
    assert (picture.facts.width, picture.facts.height) == ((64, 96) if orientation > 4 else (96, 64))


def test_orientation_of_an_image_in_memory(scene):
    turned = scene.copy()
    turned.getexif()[0x0112] = 6
    assert difference(upright_rgb(turned), scene.transpose(Image.Transpose.ROTATE_270)) == 0


def test_nonsense_orientation_is_none(scene, encode):
    exif = Image.Exif()
    exif[0x0112] = 77
    assert difference(read_picture(encode(scene, "PNG", exif=exif)).image, scene) == 0


def test_alpha_is_flattened_on_white(scene, encode):
    rgba = scene.copy()
    rgba.putalpha(Image.new("L", scene.size, 0))
    rgba.paste((10, 20, 30, 255), (0, 0, 48, 64))
    rgba.paste((0, 0, 0, 128), (48, 0, 72, 64))
    for name in ("PNG", "WEBP", "TIFF"):
        image = read_picture(encode(rgba, name, **({"lossless": True} if name == "WEBP" else {}))).image
        assert image.getpixel((10, 10)) == (10, 20, 30)
        assert image.getpixel((60, 10)) == (127, 127, 127)
        assert image.getpixel((90, 10)) == (255, 255, 255)


def half(mode: str, seen: object, hidden: object) -> Image.Image:
    image = Image.new(mode, (8, 8), hidden)
    image.paste(seen, (0, 0, 4, 8))
    return image


def test_other_transparency(encode):
    palette = half("P", 0, 1)
    palette.putpalette([50, 50, 50, 9, 9, 9])
    grey_alpha = half("LA", (50, 255), (0, 0))
    for data in (
        encode(grey_alpha, "PNG"),
        encode(palette, "PNG", transparency=b"\xff\x00"),
        encode(palette, "GIF", transparency=1),
        encode(half("RGB", (50, 50, 50), (1, 2, 3)), "PNG", transparency=(1, 2, 3)),
        encode(half("L", 50, 0), "PNG", transparency=0),
    ):
        image = read_picture(data).image
        assert image.getpixel((6, 2)) == (255, 255, 255)
        assert image.getpixel((2, 2)) == (50, 50, 50)
    for mode in ("RGBa", "PA"):
        image = upright_rgb(grey_alpha.convert("RGBA").convert(mode))
        assert image.getpixel((6, 2)) == (255, 255, 255)
        assert image.getpixel((2, 2)) == (50, 50, 50)


def test_deep_greys_are_scaled_not_clipped(encode):
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    wanted = ramp / 257.0
    for name, image in {
        "PNG": Image.fromarray(ramp),
        "TIFF": Image.fromarray(ramp),
        "TIFF big endian": Image.fromarray(ramp.astype(">u2")),
        "PPM": Image.fromarray(ramp),
        "TIFF 32 bit": Image.fromarray(ramp.astype(np.int32)),
    }.items():
        got = np.asarray(read_picture(encode(image, name.split()[0])).image, np.float32)
        assert np.abs(got - wanted[..., None]).max() <= 1, name


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_floats(white, encode):
    ramp = np.linspace(0, white, 256, dtype=np.float32).reshape(16, 16)
    got = np.asarray(read_picture(encode(Image.fromarray(ramp), "TIFF")).image, np.float32)
    assert np.abs(got[..., 0].ravel() - np.arange(256)).max() <= 1


def test_floats_of_any_range(encode):
    ramp = np.linspace(-3, 1e6, 256, dtype=np.float32).reshape(16, 16)
    ramp[0, 1] = np.nan
    got = np.asarray(read_picture(encode(Image.fromarray(ramp), "TIFF")).image)
    assert (got.min(), got.max()) == (0, 255)
    assert read_picture(encode(Image.new("F", (4, 4), -7.0), "TIFF")).image.getpixel((0, 0)) == (0, 0, 0)


def test_other_modes(scene, encode):
    lab = ImageCms.profileToProfile(
        scene, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    for name, image, tolerance in [
        ("JPEG", scene.convert("CMYK"), 4),
        ("TIFF", scene.convert("CMYK"), 1),
        ("TIFF", scene.convert("YCbCr"), 2),
        ("TIFF", lab, 3),
        ("PNG", scene.convert("P", palette=Image.Palette.ADAPTIVE), 8),
    ]:
        assert difference(read_picture(encode(image, name)).image, scene) < tolerance, (name, image.mode)
    for mode in ("L", "1"):
        assert difference(read_picture(encode(scene.convert(mode), "PNG")).image, scene.convert(mode)) == 0
    assert difference(upright_rgb(scene.convert("HSV")), scene) < 3


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "MPO"])
def test_first_frame(name, scene, encode):
    data = encode(scene, name, save_all=True, append_images=[Image.new("RGB", scene.size, "black")])
    assert difference(read_picture(data).image, scene) < 8


def test_first_frame_smaller_than_its_canvas():
    """A GIF whose canvas is 8 x 8, whose first frame covers 4 x 4 of it, the rest being transparent."""
    frame = Image.new("P", (4, 4), 1)
    frame.putpalette([0, 0, 0, 200, 10, 10])
    frame.putpixel((3, 3), 0)
    buffer = io.BytesIO()
    frame.save(buffer, "GIF", transparency=0)
    data = bytearray(buffer.getvalue())
    data[6:10] = struct.pack("<HH", 8, 8)
    picture = read_picture(bytes(data))
    assert (picture.facts.width, picture.facts.height) == (8, 8)
    assert picture.image.getpixel((1, 1)) == (200, 10, 10)
    assert picture.image.getpixel((6, 6)) == (255, 255, 255)


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


def test_threads(scene, encode):
    data = [encode(scene, PICTURES[name][0], **PICTURES[name][1]) for name in PICTURES] * 8
    data += [encode(scene, "JPEG")[:500], b"", b"text"] * 8

    def sizes(content: bytes) -> object:
        try:
            return read_picture(content).image.tobytes()
        except PictureError as error:
            return error.reason

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(sizes, data)) == [sizes(content) for content in data]


def test_exif_after_the_pixels_of_a_png(scene, encode):
    exif = Image.Exif()
    exif[0x0112] = 8
    data = encode(scene, "PNG")
    body = exif.tobytes()[6:]
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body + struct.pack(">I", zlib.crc32(b"eXIf" + body))
    # Right before IEND, whose 12 bytes come last.
    assert read_picture(data[:-12] + chunk + data[-12:]).image.size == (64, 96)
