"""The shipped gallery, and that its maker makes the same again."""

import sys
from datetime import datetime
from pathlib import Path

import make_gallery
import pyarrow.parquet as pq
import pytest
from PIL import Image, UnidentifiedImageError
from scenes.sprites import font_available

import clipsearch

GALLERY = Path(clipsearch.__file__).parent / "gallery"
PICTURES = sorted(
    path for path in GALLERY.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg") and path.parent.name != "awkward"
)
needs_font = pytest.mark.skipif(not font_available(), reason="the colour glyph font is not installed")


def test_the_gallery_has_hundreds_of_pictures_in_a_few_folders() -> None:
    assert 400 <= len(PICTURES) <= 600
    assert 4 <= len({path.parent for path in PICTURES}) <= 12
    assert sum(path.stat().st_size for path in GALLERY.rglob("*") if path.is_file()) <= 12_000_000


def test_pictures_come_in_many_shapes() -> None:
    shapes = set()
    for path in PICTURES[::5]:
        with Image.open(path) as image:
            shapes.add(image.size)
    ratios = [width / height for width, height in shapes]
    assert len(shapes) >= 5
    assert min(ratios) < 0.8
    assert max(ratios) > 2


def test_part_of_the_pictures_has_camera_data() -> None:
    described = dated = placed = 0
    for path in PICTURES[::4]:
        with Image.open(path) as image:
            exif = image.getexif()
            described += 0x010E in exif
            stamp = exif.get_ifd(0x8769).get(0x9003)
            dated += bool(stamp and datetime.strptime(stamp, "%Y:%m:%d %H:%M:%S"))
            placed += 2 in exif.get_ifd(0x8825)
    count = len(PICTURES[::4])
    assert 0.25 * count < described < 0.65 * count
    assert 0.55 * count < dated < 0.95 * count
    assert 0.1 * count < placed < 0.6 * count


def test_the_shard_has_the_columns_of_a_hugging_face_data_set() -> None:
    table = pq.read_table(GALLERY / "more.parquet")
    assert table.num_rows == 60
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "image": "struct<bytes: binary, path: string>",
        "caption": "string",
        "photographer": "string",
        "rating": "int64",
        "temperature": "double",
        "tags": "list<element: string>",
        "taken": "timestamp[us]",
    }
    assert b"huggingface" in table.schema.metadata
    assert all(row["bytes"][:2] == b"\xff\xd8" for row in table["image"].to_pylist())


def test_awkward_pictures_are_what_their_names_say() -> None:
    found = {}
    for path in sorted((GALLERY / "awkward").iterdir()):
        try:
            with Image.open(path) as image:
                image.load()
                found[path.name] = (image.mode, getattr(image, "n_frames", 1), image.getexif().get(0x0112, 1))
        except (UnidentifiedImageError, OSError):
            found[path.name] = ("broken", 0, 0)
    assert found["print-cmyk.jpg"][0] == "CMYK"
    assert found["old-grey.jpg"][0] == "L"
    assert found["scan-16-bit.png"][0].startswith("I")
    assert found["teddy-bear-cut-out.png"][0] == "RGBA"
    assert found["red-square-palette.png"][0] == "P"
    assert found["bouncing-ball.gif"][1] == found["flying-bird.webp"][1] == 4
    assert {found[f"turned-{tag}.jpg"][2] for tag in (2, 3, 5, 6, 8)} == {2, 3, 5, 6, 8}
    assert {name for name, entry in found.items() if entry[0] == "broken"} == {
        "cut-off.jpg",
        "nothing.jpg",
        "shopping-list.jpg",
    }


def _make(out: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    monkeypatch.setattr(
        sys, "argv", ["make_gallery.py", "--out", str(out), "--pictures", "6", "--each-demo", "0", "--shard", "2"]
    )
    make_gallery.main()
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@needs_font
def test_the_same_seed_makes_the_same_gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _make(tmp_path / "a", monkeypatch), _make(tmp_path / "b", monkeypatch)
    assert len(first) == 6 + 1 + 15
    assert first == second
