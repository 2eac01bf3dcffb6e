"""What a picture file says of itself, by value, on files written here."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageFile, PngImagePlugin, TiffImagePlugin
from PIL.TiffImagePlugin import IFDRational

from clipsearch.pictures.tags import Tag, read_tags

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

EXIF, GPS, INTEROP = 0x8769, 0x8825, 0xA005
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4" photoshop:City="Tromsø">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Ægir &amp; sons</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>harbour</rdf:li><rdf:li>snow</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def saved(kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 24), "teal").save(file, kind, **options)
    return file.getvalue()


def exif(base=None, detail=None, gps=None) -> Image.Exif:
    written = Image.Exif()
    written.update(base or {})
    written.get_ifd(EXIF).update(detail or {})
    written.get_ifd(GPS).update(gps or {})
    return written


def told(data: bytes, group: str | None = None) -> dict[str, str]:
    return {tag.name: tag.value for tag in read_tags(data) if group in (None, tag.group)}


CAMERA = exif(
    {
        0x010E: "Möwen am Hafen".encode(),
        0x010F: "Canon",
        0x0110: "Canon EOS 5D",
        0x0112: 6,
        0x0131: "Lightroom 6.1",
        0x011A: IFDRational(72, 1),
        0x0128: 2,
        0x0132: "2020:02:03 04:05:06",
        0x4746: 4,
        0xC4A5: b"PrintIM\x000300",
        0x9C9E: "sea;gulls".encode("utf-16-le") + b"\0\0",
    },
    {
        0x829A: IFDRational(1, 200),
        0x829D: IFDRational(28, 10),
        0x8822: 3,
        0x8827: 400,
        0x9000: b"0232",
        0x9003: "2019:07:14 18:30:05",
        0x9201: IFDRational(7643856, 10**6),
        0x9202: IFDRational(2970854, 10**6),
        0x9204: IFDRational(-2, 3),
        0x9207: 5,
        0x9208: 0,
        0x9209: 0x59,
        0x920A: IFDRational(850, 10),
        0x927C: bytes(range(200)) * 10,
        0x9286: b"ASCII\0\0\0from the pier",
        0x9101: b"\1\2\3\0",
        0xA001: 1,
        0xA301: b"\1",
        0xA402: 0,
        0xA403: 1,
        0xA405: 136,
        0xA434: "EF85mm f/1.8 USM",
        0xBEEF: 7,
        0xA432: tuple(IFDRational(n, d) for n, d in ((24, 1), (70, 1), (28, 10), (28, 10))),
        INTEROP: {1: "R98", 2: b"0100"},
    },
    {
        0: b"\2\3\0\0",
        1: "S",
        2: (33.0, 51.0, 30.0),
        3: "E",
        4: (151.0, 12.0, 36.0),
        5: b"\1",
        6: IFDRational(12, 1),
        7: (9.0, 30.0, 5.0),
        12: "K",
        13: IFDRational(54, 10),
        16: "T",
        17: IFDRational(2705, 10),
        29: "2019:07:14",
        27: b"ASCII\0\0\0GPS",
        31: IFDRational(5, 1),
    },
)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_directory_in_words(kind: str) -> None:
    data = saved(kind, exif=CAMERA)
    assert told(data, "Camera") == {
        "Image description": "Möwen am Hafen",
        "Make": "Canon",
        "Model": "Canon EOS 5D",
        "Orientation": "turned left",
        "Software": "Lightroom 6.1",
        "X resolution": "72",
        "Resolution unit": "per inch",
        "Changed at": "2020-02-03 04:05:06",
        "Rating": "4",
        "Print image matching": "12 bytes",
        "XP keywords": "sea;gulls",
    }
    assert told(data, "Exposure") == {
        "Exposure time": "1/200 s",
        "Aperture": "f/2.8",
        "Exposure program": "aperture priority",
        "ISO": "400",
        "Exif version": "2.32",
        "Taken at": "2019-07-14 18:30:05",
        "Shutter speed value": "1/200 s",
        "Aperture value": "f/2.8",
        "Exposure compensation": "-0.67 EV",
        "Metering mode": "pattern",
        "Light source": "unknown",
        "Flash": "fired, automatic, red-eye reduction",
        "Focal length": "85 mm",
        "Maker note": "2,000 bytes",
        "User comment": "from the pier",
        "Components configuration": "Y Cb Cr",
        "Color space": "sRGB",
        "Scene type": "photographed directly",
        "Exposure mode": "automatic",
        "White balance": "manual",
        "Focal length on 35 mm film": "136 mm",
        "Lens model": "EF85mm f/1.8 USM",
        "Lens specification": "24-70 mm f/2.8",
        "Tag 0xBEEF": "7",
    }
    assert told(data, "Place") == {
        "Version ID": "2.3.0.0",
        "Latitude": "33.858333° S",
        "Longitude": "151.210000° E",
        "Altitude": "12 m below sea level",
        "Time stamp": "09:30:05 UTC",
        "Speed": "5.4 km/h",
        "Direction of view": "270.5° from north",
        "Date stamp": "2019-07-14",
        "Processing method": "GPS",
        "Positioning error": "5 m",
    }
    assert told(data, "Interoperability") == {"Interop index": "R98", "Interop version": "1.0"}


def test_long_exposures_and_wide_apertures() -> None:
    def one(tag: int, value: object) -> list[str]:
        return [tag.value for tag in read_tags(saved("JPEG", exif=exif(detail={tag: value})))]

    assert one(0x829A, IFDRational(5, 2)) == ["2.5 s"]
    assert one(0x829A, IFDRational(1, 8000)) == ["1/8,000 s"]
    assert one(0x829A, IFDRational(0, 1)) == one(0x829A, IFDRational(1, 0)) == []
    assert one(0x829D, IFDRational(11, 1)) == ["f/11"]
    assert one(0x9204, IFDRational(0, 1)) == ["0 EV"]
    assert one(0x9209, 0x20) == ["none"]
    assert one(0x9286, b"UNICODE\0" + "Grüße".encode("utf-16")) == ["Grüße"]
    assert one(0xBEEF, tuple(range(40)))[0].endswith("14, 15, … (40 values)")


def test_a_jpeg_has_a_thumbnail_with_tags_of_its_own() -> None:
    # Byte order, one tag (orientation 1), and then a second directory with its own (compression 6).
    entry = struct.pack("<HHHII", 1, 0x0112, 3, 1, 1)
    second = struct.pack("<HHHIII", 1, 0x0103, 3, 1, 6, 0)
    blob = b"Exif\0\0II*\0" + struct.pack("<I", 8) + entry + struct.pack("<I", 8 + len(entry) + 4) + second
    assert read_tags(saved("JPEG", exif=blob)) == (
        Tag("Camera", "Orientation", "upright"),
        Tag("Thumbnail", "Compression", "JPEG"),
    )


def test_tiff() -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x010F], tags[EXIF] = "Nikon", {0x8827: 100}
    found = read_tags(saved("TIFF", tiffinfo=tags))
    assert Tag("Camera", "Make", "Nikon") in found
    assert Tag("Exposure", "ISO", "100") in found
    assert not any(tag.name.startswith(("Strip", "Exif offset")) for tag in found)


@pytest.mark.parametrize(
    "data",
    [
        saved("JPEG", xmp=XMP.encode()),
        saved("WEBP", xmp=XMP.encode()),
        saved("PNG", pnginfo=(info := PngImagePlugin.PngInfo(), info.add_itxt("XML:com.adobe.xmp", XMP))[0]),
    ],
    ids=["JPEG", "WebP", "PNG"],
)
def test_xmp(data: bytes) -> None:
    assert told(data, "Titles") == {
        "Title": "Ægir & sons",
        "Keywords": "harbour, snow",
        "Rating": "4",
        "City": "Tromsø",
    }
    assert told(data, "Texts") == {}


def test_xmp_with_entities_is_left_alone() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>' + XMP.replace("&amp;", "&a;")
    assert read_tags(saved("JPEG", xmp=bomb.encode())) == ()


def iptc(number: int, text: bytes) -> bytes:
    return b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(text)) + text


def test_iptc() -> None:
    block = iptc(5, b"Quay") + iptc(25, b"gulls") + iptc(25, "Möwen".encode()) + iptc(120, "Grün".encode("cp1252"))
    resource = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(block)) + block
    jpeg = saved("JPEG")
    segment = b"\xff\xed" + struct.pack(">H", len(resource) + 2) + resource
    found = read_tags(jpeg[:2] + segment + jpeg[2:])
    assert found == (
        Tag("Titles", "Title", "Quay"),
        Tag("Titles", "Description", "Grün"),
        Tag("Titles", "Keywords", "gulls, Möwen"),
    )


def test_texts_of_a_png_also_behind_the_pixels() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "A harbour")
    info.add_text("parameters", "gulls, snow\nSteps: 20", zip=True)
    info.add_itxt("Author", "Ægir")
    png = saved("PNG", pnginfo=info)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    end = png.index(b"IEND") - 4
    late = chunk(b"tEXt", b"Software\0Brush 2") + chunk(b"eXIf", CAMERA.tobytes().removeprefix(b"Exif\0\0"))
    found = told(png[:end] + late + png[end:])
    assert found["Title"] == "A harbour"
    assert found["parameters"] == "gulls, snow\nSteps: 20"
    assert found["Author"] == "Ægir"
    assert found["Software"] in ("Brush 2", "Lightroom 6.1")
    assert found["Exposure time"] == "1/200 s"


def test_no_pixel_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [saved(kind, exif=CAMERA) for kind in ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")] + [saved("PNG")]

    loaded: list[tuple[int, int]] = []
    load = ImageFile.ImageFile.load
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: (loaded.append(image.size), load(image))[1])
    assert [bool(read_tags(data)) for data in files] == [True] * 5 + [False]
    assert set(loaded) == {(1, 1)}  # what stands for a PNG


def test_comments() -> None:
    assert read_tags(saved("JPEG", comment="Grüße".encode())) == (Tag("Texts", "Comment", "Grüße"),)
    assert read_tags(saved("GIF", comment=b"animated\0")) == (Tag("Texts", "Comment", "animated"),)


def test_nothing_to_tell() -> None:
    for data in (b"", b"no picture", saved("PNG"), saved("BMP")):
        assert read_tags(data) == ()


def test_broken_files_tell_what_they_can_and_never_raise() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        whole = saved(kind, exif=CAMERA)
        for step in range(0, len(whole), 37):
            read_tags(whole[:step])
            flipped = bytearray(whole)
            flipped[step] ^= 0xFF
            read_tags(bytes(flipped))


def test_one_broken_value_leaves_the_others() -> None:
    gps = {
        1: "N",
        2: (1.0, 2.0, IFDRational(0, 0)),
        3: "W",
        4: (400.0, 0.0, 0.0),
        6: IFDRational(0, 0),
        29: "2019:07:14",
    }
    data = saved("JPEG", exif=exif({0x010F: "Canon"}, {0x9286: b"UNICODE\0\xff", 0x8827: 100}, gps))
    found = told(data)
    assert found["Make"] == "Canon"
    assert found["ISO"] == "100"
    assert found["Date stamp"] == "2019-07-14"
    assert not {"Latitude", "Longitude", "Altitude"} & set(found)
