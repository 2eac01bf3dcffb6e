from __future__ import annotations

import json
from pathlib import Path

import pytest

from clipsearch.errors import ModelError
from clipsearch.models.names import MINI, Checkpoint, Folder, Hub, Tag, parse
from clipsearch.models.presets import DEFAULT, PRESETS, preset_table


@pytest.mark.parametrize(
    ("text", "parsed", "spelled"),
    [
        ("mini", Folder(MINI), "mini"),
        (str(MINI), Folder(MINI), "mini"),
        ("default", Tag("ViT-B-32-SigLIP2-256", "webli"), "ViT-B-32-SigLIP2-256/webli"),
        ("ViT-B-32/laion2b_s34b_b79k", Tag("ViT-B-32", "laion2b_s34b_b79k"), "ViT-B-32/laion2b_s34b_b79k"),
        ("ViT-B-32/laion2b-s34b-b79k", Tag("ViT-B-32", "laion2b_s34b_b79k"), "ViT-B-32/laion2b_s34b_b79k"),
        ("ViT-B/32/openai", Tag("ViT-B-32", "openai"), "ViT-B-32/openai"),
        ("ViT-B-32:/a/b.pt", Checkpoint("ViT-B-32", Path("/a/b.pt")), "ViT-B-32:/a/b.pt"),
        ("ViT-B-32:~/b.pt", Checkpoint("ViT-B-32", Path.home() / "b.pt"), f"ViT-B-32:{Path.home()}/b.pt"),
        ("ViT-B-32:b.pt", Checkpoint("ViT-B-32", Path.cwd() / "b.pt"), f"ViT-B-32:{Path.cwd()}/b.pt"),
        ("hf-hub:laion/CLIP-x.y_z", Hub("laion/CLIP-x.y_z"), "hf-hub:laion/CLIP-x.y_z"),
        ("/a/folder", Folder(Path("/a/folder")), "/a/folder"),
        ("~/folder", Folder(Path.home() / "folder"), f"{Path.home()}/folder"),
        ("./folder", Folder(Path.cwd() / "folder"), f"{Path.cwd()}/folder"),
        ("local-dir:folder", Folder(Path.cwd() / "folder"), f"{Path.cwd()}/folder"),
        (" mini\n", Folder(MINI), "mini"),
    ],
)
def test_every_form(text: str, parsed: object, spelled: str) -> None:
    assert parse(text) == parsed
    assert str(parse(text)) == spelled
    assert parse(spelled) == parsed


def test_a_drive_letter_is_no_architecture() -> None:
    checkpoint = parse(r"ViT-B-32:C:\models\b.pt")
    assert isinstance(checkpoint, Checkpoint)
    assert str(checkpoint.path).endswith(r"C:\models\b.pt")
    assert isinstance(parse(r"C:\models\b"), Folder)


def test_a_folder_of_this_directory_needs_no_dot(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.parent)
    assert parse(tiny.name) == Folder(tiny)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("ViT-B-32", ["ViT-B-32/TAG", "laion2b_s34b_b79k", "ViT-B-32:/path/to/checkpoint.pt"]),
        ("ViT-S-32", ["ViT-S-32:/path/to/checkpoint.pt"]),
        ("ViT-B-32/laion2b_s34b", ["one of the tags laion2b_s34b_b79k"]),
        ("vit-b-32", ["did you mean ViT-B-32"]),
        ("ViT-B-33/openai", ["did you mean ViT-B-32"]),
        ("minni", ["did you mean mini?"]),
        ("laion/CLIP-of-mine", ["hf-hub:laion/CLIP-of-mine", "hf:laion/CLIP-of-mine"]),
        ("hf-hub:", ["hf-hub:ORGANISATION/NAME"]),
        ("hf-hub:a/b/c", ["hf-hub:ORGANISATION/NAME"]),
        ("qwertyuiop", ["mini", "default", "ARCHITECTURE/TAG", "ARCHITECTURE:/path/to/checkpoint.pt"]),
        ("", ["mini", "default"]),
        (__file__, [f"ViT-B-32:{__file__}"]),
    ],
)
def test_what_cannot_be_meant_is_answered_with_what_to_write(text: str, advice: list[str]) -> None:
    with pytest.raises(ModelError) as caught:
        parse(text)
    message = str(caught.value)
    assert all(part in message for part in advice), message
    assert "\n" not in message


def test_presets_exist_in_open_clip_and_say_its_sizes() -> None:
    from clipsearch.models import catalogue

    for preset in PRESETS.values():
        name = parse(preset.name)
        assert str(name) == preset.model
        if isinstance(name, Tag):
            config = catalogue.architecture_config(name.architecture)
        else:
            config = json.loads((MINI / "open_clip_config.json").read_text())["model_cfg"]
        assert preset.dim == config["embed_dim"]
        assert preset.image_size == config["vision_cfg"]["image_size"]
    assert {"mini", DEFAULT, "fast", "best", "english"} < set(PRESETS)
    assert {"pe", "pe-large", "eva", "convnext", "coca", "resnet", "multilingual"} < set(PRESETS)
    assert {preset.licence for preset in PRESETS.values()} <= {"Apache-2.0", "MIT"}


def test_the_table_has_a_row_a_preset_with_the_same_titles() -> None:
    rows = preset_table()
    assert [row["Preset"] for row in rows] == list(PRESETS)
    assert len({tuple(row) for row in rows}) == 1
    assert rows[1]["COCO R@1"] == "47.2 %"
