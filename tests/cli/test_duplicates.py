"""`clipsearch duplicates` on copies of gallery pictures indexed with mini."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from clipsearch import build

GALLERY = Path(__file__).parents[2] / "clipsearch/gallery"
SCENES = sorted(GALLERY.glob("[b-z]*/*.jp*g"))[::12]


def clipsearch(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own."""
    command = [sys.executable, "-m", "clipsearch", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def album(tmp_path_factory) -> Path:
    """Scenes in `scenes`; of the first three an equal, a smaller and a harder compressed copy in `copies`."""
    folder = tmp_path_factory.mktemp("duplicates") / "photos"
    (folder / "scenes").mkdir(parents=True)
    (folder / "copies").mkdir()
    for number, scene in enumerate(SCENES):
        kept = folder / "scenes" / f"{number}.jpg"
        shutil.copy(scene, kept)
        os.utime(kept, (1_600_000_000 + number,) * 2)
    for number, scene in enumerate(SCENES[:3]):
        shutil.copy(scene, folder / "copies" / f"{number}-equal.jpg")
        with Image.open(scene) as opened:
            small = opened.resize((opened.width // 2, opened.height // 2), Image.Resampling.LANCZOS)
            small.save(folder / "copies" / f"{number}-half.jpg", quality=90)
            opened.save(folder / "copies" / f"{number}-poor.jpg", quality=30)
    assert build(folder, folder / ".clipsearch", model="mini", offline=True).embedded == len(SCENES) + 6
    return folder


def names(group) -> tuple[str, set[str]]:
    return Path(group["keep"]["path"]).name, {Path(copy["path"]).name for copy in group["also"]}


def test_equal_bytes_are_the_default(album):
    result = clipsearch("duplicates", "--json", "--index", album)
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["level"] == "bytes"
    assert sorted(names(group) for group in found["groups"]) == [(f"{i}.jpg", {f"{i}-equal.jpg"}) for i in range(3)]
    spare = sum((album / "copies" / f"{i}-equal.jpg").stat().st_size for i in range(3))
    assert found["summary"] == {"groups": 3, "spare": 3, "spare_bytes": spare}


def test_near_finds_every_copy_and_keeps_the_best(run, album):
    found = run("duplicates", "--level", "near", "--json", "--index", album).json
    expected = [(f"{i}.jpg", {f"{i}-equal.jpg", f"{i}-half.jpg", f"{i}-poor.jpg"}) for i in range(3)]
    assert sorted(names(group) for group in found["groups"]) == expected
    for group in found["groups"]:
        similarities = [copy["similarity"] for copy in group["also"]]
        assert similarities == sorted(similarities, reverse=True)
        assert min(similarities) >= 0.93
        path = Path(group["keep"]["path"])
        with Image.open(path) as kept:
            assert (group["keep"]["width"], group["keep"]["height"]) == kept.size
        assert group["keep"]["bytes"] == path.stat().st_size


def test_a_higher_threshold_finds_less(run, album):
    def spare(threshold: float) -> int:
        given = ["--level", "near", "--threshold", threshold, "--json", "--index", album]
        return run("duplicates", *given).json["summary"]["spare"]

    assert spare(0.93) == 9
    assert 3 <= spare(1.0) < 9


def test_a_folder_alone(run, album):
    found = run("duplicates", "--level", "near", "--folder", "copies", "--json", "--index", album).json
    assert sorted(names(group) for group in found["groups"]) == [
        (f"{i}-equal.jpg", {f"{i}-half.jpg", f"{i}-poor.jpg"}) for i in range(3)
    ]


def test_lines_for_programs_and_a_summary_for_people(album):
    result = clipsearch("duplicates", "--index", album)
    header, *lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert header == ["group", "role", "similarity", "size", "bytes", "path"]
    assert [line[:2] for line in lines] == [[str(i), role] for i in (1, 2, 3) for role in ("keep", "also")]
    keep, also = lines[0], lines[1]
    assert (keep[2], also[2]) == ("", "1.000")
    assert keep[3:5] == also[3:5]
    assert Path(keep[5]).read_bytes() == Path(also[5]).read_bytes()
    assert result.stderr.startswith("3 groups of 6 pictures; ")
    assert "Nothing was deleted" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_groups_for_a_person(album):
    import pty

    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "clipsearch", "duplicates", "--level", "near", "--index", str(album)]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, text=True) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(mine, 65536):
                shown += part
        except OSError:  # how the other end's closing shows on Linux
            pass
        os.close(mine)
        assert "3 groups of 12 pictures" in process.stderr.read()
    groups = shown.decode().replace("\r\n", "\n").strip().split("\n\n")
    assert [[line.split()[0] for line in group.splitlines()] for group in groups] == [["keep", *["also"] * 3]] * 3
    assert str(album / "scenes" / "0.jpg") in shown.decode()


def test_nothing_to_report(run, tmp_path):
    (tmp_path / "p").mkdir()
    shutil.copy(SCENES[0], tmp_path / "p")
    run("index", tmp_path / "p", "--model", "mini", "--offline")
    for level in ("bytes", "near"):
        result = run("duplicates", "--level", level, "--index", tmp_path / "p")
        assert (result.code, result.err) == (0, "No duplicates.\n")
        empty = run("duplicates", "--level", level, "--json", "--index", tmp_path / "p").json
        assert (empty["groups"], empty["summary"]["groups"]) == ([], 0)


def test_nothing_is_changed_on_the_disk(run, album):
    def everything() -> dict[str, str]:
        files = sorted(path for path in album.rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = everything()
    run("duplicates", "--level", "near", "--index", album)
    assert everything() == before


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--threshold", "0.9"], 2, "--level near"),
        (["--level", "near", "--threshold", "1.5"], 2, "0.95"),
        (["--level", "similar"], 2, "similar"),
        (["--folder", "/nowhere"], 1, "/nowhere"),
    ],
    ids=str,
)
def test_bad_input_gets_a_sentence_and_a_code(run, album, arguments, code, says):
    result = run("duplicates", *arguments, "--index", album)
    assert result.code == code
    assert says in result.err
    assert "Traceback" not in result.err
    assert result.out == ""
