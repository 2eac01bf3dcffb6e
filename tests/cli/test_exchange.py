"""`export`, `import` and `embed` as they are typed, with mini."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from clipsearch.models import load_encoder
from clipsearch.pictures import fit


@pytest.fixture(scope="module")
def mini():
    return load_encoder("mini", device="cpu", offline=True)


@pytest.fixture
def typed(monkeypatch):
    """Put bytes on standard input."""
    return lambda data: monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_out_and_in_again(run, photos, tmp_path):
    target, index = tmp_path / "v.parquet", tmp_path / "again.index"
    out = run("export", target, "--index", photos, "--where", "path like 'a/%'", "--column", "format", "--json")
    assert out.code == 0
    assert (out.json["pictures"], out.json["dim"], out.json["model"]) == (4, 256, "mini")
    assert pq.read_table(target).column_names == ["id", "path", "format", "vector"]
    done = run("import", target, "--index", index, "--model", "mini", "--offline")
    assert done.code == 0
    assert "4 imported, 0 known before, 0 repeated, 0 failed" in done.out
    assert run("import", target, "--index", index, "--json").json["known"] == 4
    first = run("search", "blue", "--index", photos, "--folder", "a", "--json", "--all").json["hits"]
    second = run("search", "blue", "--index", index, "--json", "--all").json["hits"]
    assert [(h["path"], h["score"]) for h in second] == [(h["path"], h["score"]) for h in first]


def test_pictures_that_are_not_here_have_no_size(run, photos, tmp_path):
    run("export", tmp_path / "laion", "--index", photos)
    for table in (tmp_path / "laion/metadata").iterdir():
        rows = pq.read_table(table).select(["id"])
        pq.write_table(rows.append_column("image_path", [[f"{i:06d}" for i in range(len(rows))]]), table)
    done = run("import", tmp_path / "laion", "--index", tmp_path / "i.index", "--model", "mini", "--offline")
    assert "8 pictures of those imported cannot be read; list them: --where absent." in done.out
    found = run("search", "--like", "1", "--index", tmp_path / "i.index", "--where", "absent", "-k", "1")
    assert found.code == 0
    assert found.out.splitlines()[1].endswith("\t\t")


def test_refusals_exit_with_1_and_2(run, photos, tmp_path):
    assert run("export", tmp_path / "v.csv", "--index", photos).code == 2
    assert run("import", tmp_path / "nothing", "--index", tmp_path / "i.index", "--model", "mini").code == 1
    (tmp_path / "v.parquet").write_bytes(b"")
    refused = run("import", tmp_path / "v.parquet", "--index", tmp_path / "i.index", "--model", "mini")
    assert refused.code == 1
    assert "cannot be read as Parquet" in refused.err


@pytest.mark.parametrize("stdin", [True, False])
def test_texts(run, mini, tmp_path, typed, stdin):
    texts = ["two dogs in the snow", "red", ""]
    typed("\n".join(texts).encode() + b"\n")
    done = run("embed", "text", *(["-"] if stdin else texts), "--model", "mini", "--output", tmp_path / "t.npy")
    assert (done.code, done.out) == (0, "")
    assert done.err == "3 vectors of 256 numbers, made with mini.\n"
    found = np.load(tmp_path / "t.npy")
    assert found.dtype == np.float32
    assert np.allclose(found, mini.encode_texts(texts), atol=1e-6)


def test_pictures(run, mini, photos, tmp_path, typed):
    files = sorted(photos.glob("a/*.png")) + sorted(photos.glob("b/*.png"))
    typed("".join(f"{file}\n" for file in files).encode())
    run("embed", "image", "-", "--model", "mini", "--output", tmp_path / "a.npy")
    run("embed", "image", *files, "--model", "mini", "--output", tmp_path / "b.npy")
    found = np.load(tmp_path / "a.npy")
    assert np.array_equal(found, np.load(tmp_path / "b.npy"))
    pixels = np.stack([fit(Image.open(file).convert("RGB"), mini.preprocessing) for file in files])
    assert np.allclose(found, mini.encode_images(pixels), atol=1e-5)


def test_an_array_goes_to_standard_output(capfdbinary, monkeypatch, mini):
    from clipsearch.cli.app import main

    monkeypatch.setattr(sys, "argv", ["clipsearch", "embed", "text", "red", "--model", "mini"])
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0
    assert np.allclose(np.load(io.BytesIO(out.buffer.getvalue())), mini.encode_texts(["red"]), atol=1e-6)


def test_what_cannot_be_embedded_leaves_no_file(run, photos, tmp_path, typed):
    target = tmp_path / "e.npy"
    refused = run("embed", "image", photos / "broken.jpg", "--model", "mini", "--output", target)
    assert refused.code == 1
    assert "broken.jpg cannot be embedded" in refused.err
    typed(b"good\n\xff\n")
    refused = run("embed", "text", "-", "--model", "mini", "--output", target)
    assert (refused.code, "Line 2 of standard input" in refused.err) == (2, True)
    assert run("embed", "text", "-", "x", "--model", "mini", "--output", target).code == 2
    assert not target.exists()
    target.write_text("precious")
    assert run("embed", "text", "x", "--model", "mini", "--output", target).code == 2
    assert target.read_text() == "precious"
