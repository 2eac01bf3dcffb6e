"""`clipsearch index` and the commands that look after an index."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def folder(photos, tmp_path):
    """The indexed folder, to do with as one likes."""
    return shutil.copytree(photos, tmp_path / "photos")


def test_the_index_goes_into_the_folder_and_is_found_from_below(run, photos, tmp_path, monkeypatch):
    folder = tmp_path / "new"
    shutil.copytree(photos / "a", folder / "a")
    result = run("index", folder, "--model", "mini", "--json")
    assert result.code == 0
    assert result.json["embedded"] == 4
    assert result.json["index"] == str(folder / ".clipsearch")
    monkeypatch.chdir(folder / "a")
    assert run("info", "--json").json["pictures"] == 4


def test_the_environment_names_the_index(run, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPSEARCH_INDEX", str(photos / ".clipsearch"))
    assert run("info", "--json").json["pictures"] == 8


def test_no_index_anywhere_says_what_to_do(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("search", "x")
    assert result.code == 1
    assert "clipsearch index FOLDER" in result.err


def test_a_second_run_embeds_nothing_and_a_moved_folder_keeps_working(run, folder, tmp_path):
    again = run("index", folder, "--json").json
    assert (again["embedded"], again["unchanged"], again["failed"]) == (0, 10, 0)
    moved = folder.rename(tmp_path / "elsewhere")
    hit = run("search", "red", "-k", 1, "--json", "--index", moved).json["hits"][0]
    assert hit["path"].startswith(str(moved))
    assert run("index", moved, "--json").json["embedded"] == 0


def test_failures_are_listed_with_reasons_and_retried_when_mended(run, folder):
    listed = run("failures", "--json", "--index", folder).json["failures"]
    assert {f["path"]: f["reason"] for f in listed}.keys() == {"broken.jpg", "empty.png"}
    assert {f["path"]: f["reason"] for f in listed}["empty.png"] == "empty"
    shutil.copy(folder / "a/blue.png", folder / "empty.png")
    report = run("failures", "--retry", "--json", "--index", folder).json
    assert (report["reused"], report["failed"]) == (1, 1)
    assert [f["path"] for f in run("failures", "--json", "--index", folder).json["failures"]] == ["broken.jpg"]


def test_verify_repair_compact(run, folder):
    assert run("verify", "--index", folder).code == 0
    vectors = next((folder / ".clipsearch/segments").glob("*/vectors.npy"))
    content = bytearray(vectors.read_bytes())
    content[-1] ^= 1
    vectors.write_bytes(content)
    broken = run("verify", "--index", folder)
    assert broken.code == 1
    assert str(vectors) in broken.out
    repaired = run("repair", "--index", folder)
    assert repaired.code == 0
    assert "damaged" in repaired.out
    assert run("index", folder, "--json").json["embedded"] == 8
    assert run("compact", "--index", folder).code == 0
    assert run("verify", "--index", folder).code == 0


def test_sql_reads_and_only_reads(run, photos):
    asked = "select count(*) as n, format from images group by format"
    assert run("sql", asked, "--json", "--index", photos).json == {"rows": [{"n": 8, "format": "PNG"}]}
    assert run("sql", asked, "--csv", "--index", photos).out == "n,format\n8,PNG\n"
    for evil in (
        "delete from pictures",
        "select 1; select 2",
        "copy images to 'x.csv'",
        "select * from read_csv('/etc/passwd')",
    ):
        result = run("sql", evil, "--index", photos)
        assert result.code == 1, evil
        assert result.err.startswith("clipsearch: ")
        assert "Traceback" not in result.err


def test_roots_can_be_relocated_and_forgotten(run, folder, tmp_path):
    run("index", folder, "--index", tmp_path / "x.index", "--model", "mini")
    moved = folder.rename(tmp_path / "moved")
    assert run("relocate", "photos", moved, "--index", tmp_path / "x.index").code == 0
    assert run("index", moved, "--index", tmp_path / "x.index", "--json").json["embedded"] == 0
    assert "8 pictures" in run("forget", "photos", "--index", tmp_path / "x.index").out
    info = run("info", "--json", "--index", tmp_path / "x.index").json
    assert (info["pictures"], info["failures"], info["roots"]) == (0, 0, [])
    wrong = run("forget", "photos", "--index", tmp_path / "x.index")
    assert wrong.code == 1
    assert "no root" in wrong.err


def test_an_explicit_model_never_falls_back(run, photos, tmp_path):
    result = run("index", photos, "--index", tmp_path / "i", "--model", "ViT-B-32/laion2b_s34b_b79k", "--offline")
    assert result.code == 1
    assert "mini" in result.err
    assert not (tmp_path / "i").exists()


def test_without_a_model_and_weights_mini_comes_with_a_notice(run, photos, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty"))
    result = run("index", photos / "a", "--index", tmp_path / "i", "--offline", "--json")
    assert result.code == 0
    assert result.json["model"] == "mini"
    assert "Please note" in result.err
    assert "--model default" in result.err


def test_another_model_is_refused_with_the_fix(run, photos, tmp_path):
    import open_clip
    import torch

    torch.manual_seed(0)
    checkpoint = tmp_path / "random.pt"
    torch.save(open_clip.create_model("ViT-S-32-alt").state_dict(), checkpoint)
    result = run("index", photos, "--model", f"ViT-S-32-alt:{checkpoint}")
    assert result.code == 1
    assert "leave out --model" in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nowhere"], 1, "nowhere"),
        (["https://example.com/photos"], 1, "download"),
        (["--batch-size", "0", "."], 2, "batch"),
        ([], 2, "SOURCE"),
    ],
)
def test_bad_sources_get_a_sentence(run, tmp_path, monkeypatch, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    result = run("index", *arguments, "--index", tmp_path / "i", "--model", "mini")
    assert result.code == code
    assert says in result.err
    assert "Traceback" not in result.err
