from __future__ import annotations

from dataclasses import asdict

import pytest

from clipsearch.models import catalogue
from clipsearch.models.preprocessing import agreed, preprocessing_of
from clipsearch.types import Preprocessing


@pytest.mark.parametrize(
    ("architecture", "tag"),
    [
        ("ViT-B-32", "laion2b_s34b_b79k"),
        ("ViT-B-32-256", "datacomp_s34b_b86k"),
        ("ViT-L-14", "laion2b_s32b_b82k"),
        ("ViT-B-32-SigLIP2-256", "webli"),
        ("ViT-SO400M-16-SigLIP2-384", "webli"),
        ("ViT-B-16-SigLIP", "webli"),
        ("MobileCLIP-S1", "datacompdr"),
        ("ViT-L-14-CLIPA", "datacomp1b"),
        ("RN50", "openai"),
        ("convnext_base_w", "laion2b_s13b_b82k_augreg"),
        ("EVA02-B-16", "merged2b_s8b_b131k"),
        ("coca_ViT-B-32", "laion2b_s13b_b90k"),
        ("PE-Core-B-16", "meta"),
        ("PE-Core-S-16-384", "meta"),
        ("MobileCLIP2-B", "dfndr2b"),
        ("ViT-B-16-SigLIP-i18n-256", "webli"),
    ],
)
def test_equals_that_of_the_built_model(architecture: str, tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import open_clip
    import torch
    from open_clip.transform import PreprocessCfg

    monkeypatch.setattr(open_clip.factory, "download_pretrained", lambda *_, **__: "")
    with torch.device("meta"):  # shapes without memory
        model = open_clip.create_model(architecture, pretrained=tag, device="meta", force_quick_gelu=tag == "openai")
    theirs = PreprocessCfg(**model.visual.preprocess_cfg)
    ours = preprocessing_of(catalogue.architecture_config(architecture), catalogue.published()[architecture][tag])
    assert (3, ours.height, ours.width) == theirs.input_size
    assert (list(ours.mean), list(ours.std)) == (list(theirs.mean), list(theirs.std))
    assert (ours.resize_mode, ours.interpolation) == (theirs.resize_mode, theirs.interpolation)
    assert ours.fill == theirs.fill_color


def test_what_is_not_said_is_open_clips_default() -> None:
    from open_clip.transform import PreprocessCfg

    theirs = asdict(PreprocessCfg())
    ours = preprocessing_of({"vision_cfg": {}}, {})
    assert ours == Preprocessing(width=theirs["size"], height=theirs["size"])
    assert (ours.mean, ours.std) == (theirs["mean"], theirs["std"])
    assert (ours.resize_mode, ours.interpolation) == (theirs["resize_mode"], theirs["interpolation"])


def test_sizes_are_height_by_width_and_a_number_stands_for_three_channels() -> None:
    found = preprocessing_of(
        {"vision_cfg": {"image_size": [96, 128]}},
        {"size": 50, "mean": 0.5, "std": [1, 2, 3], "interpolation": "random", "fill_color": 7},
    )
    assert found == Preprocessing(128, 96, mean=(0.5, 0.5, 0.5), std=(1, 2, 3), fill=7)


def test_a_file_of_weights_is_prepared_for_as_the_published_ones_of_its_architecture() -> None:
    published = catalogue.published()
    assert agreed(published["ViT-B-32-SigLIP2-256"].values())["resize_mode"] == "squash"
    assert agreed(published["ViT-L-14"].values()) == {}, "ViT-L-14 has weights with differing means"
    assert agreed([]) == {}
