"""Training a model whose text tower is one of the transformers library."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import clipsearch
from clipsearch.models import load_encoder
from clipsearch.training import Recipe

pytest.importorskip("transformers")
import open_clip

from tests.models import test_families


def test_it_learns_and_its_folder_stands_alone(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, out = tmp_path / "begun", tmp_path / "out"
    begun.mkdir()
    config = test_families.shrunk("xlm-roberta", begun)
    (begun / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))
    test_families.with_random_weights(begun, None)
    recipe = Recipe(epochs=1, batch_size=12, lr=1e-3, chunk=5)
    report = clipsearch.train(photos, out, model=str(begun), recipe=recipe, offline=True, device="cpu")
    assert (report.steps, report.of) == (2, 2)
    before, after = (load_file(folder / "open_clip_model.safetensors") for folder in (begun, out))
    moved = {name for name in before if not np.allclose(before[name], after[name], atol=1e-3 / 2)}
    assert any(name.startswith("text.transformer.encoder.layer.0") for name in moved)
    assert any(name.startswith("visual.") for name in moved)

    again = clipsearch.train(photos, out, model=str(begun), recipe=recipe, offline=True, device="cpu")
    assert (again.resumed, again.recall) == (2, report.recall)
    begun.rename(tmp_path / "elsewhere")
    texts = ["two dogs in the snow", "a red car"]
    found = load_encoder(str(out), device="cpu", offline=True).encode_texts(texts)
    monkeypatch.chdir(out)  # open_clip looks for the tower's folder from where it runs
    theirs = open_clip.create_model(f"local-dir:{out}", pretrained_text=False).eval()
    with torch.no_grad():
        expected = test_families.unit(theirs.encode_text(open_clip.get_tokenizer(f"local-dir:{out}")(texts)))
    np.testing.assert_allclose(found, expected, atol=1e-4)
