from __future__ import annotations

import dataclasses
from datetime import datetime

import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin
from PIL.TiffImagePlugin import IFDRational

from clipsearch.pictures import read_picture
from clipsearch.pictures.caption import clean_text
from clipsearch.pictures.facts import read_facts

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

MAKE, MODEL, DESCRIPTION, DATE, EXIF, GPS = 0x010F, 0x0110, 0x010E, 0x0132, 0x8769, 0x8825
ORIGINAL, DIGITIZED, SUBSEC, SUBSEC_ORIGINAL = 0x9003, 0x9004, 0x9290, 0x9291


def facts(base=None, detail=None, gps=None):
    image = Image.new("RGB", (4, 4))
    exif = image.getexif()
    exif.update(base or {})
    exif.get_ifd(EXIF).update(detail or {})
    exif.get_ifd(GPS).update(gps or {})
    return read_facts(image, (4, 4))


def test_through_a_file(scene, encode):
    exif = Image.Exif()
    exif.update({MAKE: "Canon", MODEL: "Canon EOS 5D", DESCRIPTION: "Möwen am Hafen".encode()})
    exif.get_ifd(EXIF).update({ORIGINAL: "2019:07:14 18:30:05", SUBSEC_ORIGINAL: "25"})
    exif.get_ifd(GPS).update({1: "S", 2: (33.0, 51.0, 30.0), 3: "E", 4: (151.0, 12.0, 36.0)})
    for name in ("JPEG", "PNG", "WEBP", "AVIF"):
        found = read_picture(encode(scene, name, exif=exif), draft=(8, 8)).facts
        assert found == dataclasses.replace(
            found,
            format=name,
            width=96,
            height=64,
            taken_at=datetime(2019, 7, 14, 18, 30, 5, 250_000),
            camera="Canon EOS 5D",
            latitude=pytest.approx(-33.858333),
            longitude=pytest.approx(151.21),
            caption="Möwen am Hafen",
        )


def test_tiff_directories(scene, encode):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[EXIF] = {ORIGINAL: "2020:01:02 03:04:05"}
    tags[GPS] = {1: "N", 2: (1.0, 30.0, 0.0), 3: "W", 4: (2.0, 0.0, 0.0)}
    tags[0x0112] = 6
    found = read_picture(encode(scene, "TIFF", tiffinfo=tags)).facts
    assert found.taken_at == datetime(2020, 1, 2, 3, 4, 5)
    assert (found.latitude, found.longitude) == (1.5, -2.0)
    assert (found.width, found.height) == (64, 96)


def test_nothing():
    found = facts()
    assert (found.taken_at, found.camera, found.latitude, found.longitude, found.caption) == (None,) * 5


@pytest.mark.parametrize(
    ("base", "detail", "wanted"),
    [
        ({}, {ORIGINAL: "2001:02:03 04:05:06", DIGITIZED: "2009:09:09 09:09:09"}, datetime(2001, 2, 3, 4, 5, 6)),
        ({}, {DIGITIZED: "2009:09:09 09:09:09"}, datetime(2009, 9, 9, 9, 9, 9)),
        ({DATE: "2011-12-13T14:15:16"}, {}, datetime(2011, 12, 13, 14, 15, 16)),
        ({DATE: "2011:12:13 14:15"}, {}, datetime(2011, 12, 13, 14, 15)),
        ({DATE: "2011:12:13 14:15:16"}, {SUBSEC: "123456789"}, datetime(2011, 12, 13, 14, 15, 16, 123456)),
        ({DATE: "2011:12:13 14:15:16"}, {SUBSEC: "x7"}, datetime(2011, 12, 13, 14, 15, 16)),
        ({DATE: "2011:12:13 14:15:16"}, {ORIGINAL: "0000:00:00 00:00:00"}, datetime(2011, 12, 13, 14, 15, 16)),
        ({DATE: "    :  :     :  :  "}, {}, None),
        ({DATE: "2011:13:45 99:99:99"}, {}, None),
        ({DATE: "yesterday"}, {}, None),
        ({DATE: 20111213}, {}, None),
        ({DATE: b"\xff\xfe"}, {}, None),
    ],
)
def test_dates(base, detail, wanted):
    assert facts(base, detail).taken_at == wanted


@pytest.mark.parametrize(
    ("make", "model", "wanted"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("Apple", "iPhone 12", "Apple iPhone 12"),
        ("Apple\0\0", " iPhone 12 \0", "Apple iPhone 12"),
        (None, "X100", "X100"),
        ("Leica", None, "Leica"),
        (" ", "\0", None),
        (7, b"\xff", None),
    ],
)
def test_cameras(make, model, wanted):
    assert facts({MAKE: make, MODEL: model}).camera == wanted


def ratio(top: int, bottom: int) -> IFDRational:
    return IFDRational(top, bottom)


@pytest.mark.parametrize(
    ("gps", "wanted"),
    [
        ({1: "N", 2: (ratio(50, 1), ratio(30, 1), ratio(0, 1)), 3: "W", 4: (ratio(8, 1), 0, 36.0)}, (50.5, -8.01)),
        ({1: "N", 2: (ratio(50, 1), ratio(30, 0), ratio(0, 0)), 3: "E", 4: (8.0, 0.0, 0.0)}, (None, None)),
        ({1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (8.0, 0.0, 0.0)}, (None, None)),
        ({1: "N", 2: (51.0, 0.0, 0.0), 3: "E", 4: (181.0, 0.0, 0.0)}, (None, None)),
        ({1: "N", 2: (51.0, 0.0, 0.0)}, (None, None)),
        ({2: (51.0, 0.0, 0.0), 4: (8.0, 0.0, 0.0)}, (None, None)),
        ({1: "N", 2: (51.0, 0.0), 3: "E", 4: "8"}, (None, None)),
        ({1: "", 2: 51.0, 3: b"E", 4: None}, (None, None)),
        ({1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, (None, None)),
        ({1: "n\0", 2: (0.0, 0.0, 0.0), 3: "e", 4: (9.0, 0.0, 0.0)}, (0.0, 9.0)),
    ],
)
def test_places(gps, wanted):
    found = facts(gps=gps)
    assert (found.latitude, found.longitude) == tuple(x if x is None else pytest.approx(x) for x in wanted)


@pytest.mark.parametrize(
    "junk",
    [
        "OLYMPUS DIGITAL CAMERA         ",
        "SONY DSC",
        "DCIM100MEDIA",
        "MINOLTA DIGITAL CAMERA",
        "Exif_JPEG_PICTURE",
        "IMG_20190714_183005.jpg",
        "DSC00042",
        "P1020304.JPG",
        "hdrpl",
        "   ",
        "\0\0\0",
        "---",
        "2019-07-14",
        "a\x81\x02b",
        b"\xff\xfe",
        42,
    ],
)
def test_junk_captions(junk):
    assert facts({DESCRIPTION: junk}).caption is None


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        ("Two dogs  in the\nsnow \0junk", "Two dogs in the snow"),
        ("Möwe".encode().decode("latin-1"), "Möwe"),
        ("M\xf6we", "Möwe"),
        ("it\x92s late", "it\u2019s late"),
        ("山の上", "山の上"),
        ("Sony DSC party", "Sony DSC party"),
        ("family 👨‍👩‍👧", "family 👨‍👩‍👧"),
    ],
)
def test_captions(stored, wanted):
    assert facts({DESCRIPTION: stored}).caption == wanted


def test_png_texts(scene, encode):
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "A harbour")
    assert read_picture(encode(scene, "PNG", pnginfo=text)).facts.caption == "A harbour"
    text.add_itxt("Description", "Möwen am Hafen")
    assert read_picture(encode(scene, "PNG", pnginfo=text)).facts.caption == "Möwen am Hafen"


def test_lone_surrogates_are_no_text():
    assert clean_text("a\udc80b") is None


def test_broken_exif_is_no_failure(scene, encode):
    exif = Image.Exif()
    exif[DESCRIPTION] = "x" * 200
    whole = exif.tobytes()
    for cut in range(6, len(whole), 9):
        assert read_picture(encode(scene, "JPEG", exif=whole[:cut] + b"\xff" * 20)).image.size == (96, 64)
