from __future__ import annotations

import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from clipsearch.errors import PictureError
from clipsearch.pictures import read_picture, upright_rgb
from tests.pictures.formats import PICTURES, fails

# pytest puts its own filters over those the package sets; test_broken looks at the real ones.
pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning:PIL"), pytest.mark.usefixtures("heif")]


def difference(image: Image.Image, wanted: Image.Image) -> float:
    assert image.mode == "RGB"
    assert image.size == wanted.size
    return float(np.abs(np.asarray(image, np.int16) - np.asarray(wanted.convert("RGB"), np.int16)).mean())


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
