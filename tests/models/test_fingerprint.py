from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from clipsearch.models import catalogue, model_fingerprint
from clipsearch.models import fingerprint as fingerprint_module


def edit(folder: Path, *keys: str, value: Any) -> None:
    file = folder / "open_clip_config.json"
    config = json.loads(file.read_text())
    part = config
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    file.write_text(json.dumps(config))


def test_the_same_model_in_another_place_has_the_same(tiny: Path, copy_of_tiny: Path) -> None:
    assert model_fingerprint(str(copy_of_tiny)) == model_fingerprint(str(tiny))
    (copy_of_tiny / "open_clip_model.safetensors").rename(copy_of_tiny / "model.safetensors")
    edit(copy_of_tiny, "model_cfg", "init_logit_bias", value=-10)
    edit(copy_of_tiny, "model_cfg", "quick_gelu", value=False)
    assert model_fingerprint(str(copy_of_tiny)) == model_fingerprint(str(tiny))


def test_one_file_under_two_kinds_of_name(tmp_path: Path) -> None:
    folder, checkpoint = tmp_path / "folder", tmp_path / "checkpoint.bin"
    folder.mkdir()
    checkpoint.write_bytes(b"weights")
    shutil.copy(checkpoint, folder / "open_clip_model.safetensors")
    config = {"model_cfg": catalogue.architecture_config("ViT-B-32"), "preprocess_cfg": {"size": [224, 224]}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    assert model_fingerprint(f"ViT-B-32:{checkpoint}") == model_fingerprint(str(folder))


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("preprocess_cfg", "mean"), [0.5, 0.4, 0.31]),
        (("preprocess_cfg", "resize_mode"), "shortest"),
        (("model_cfg", "quick_gelu"), True),
        (("model_cfg", "text_cfg", "context_length"), 20),
        (("model_cfg", "text_cfg", "tokenizer_kwargs"), {"clean": "canonicalize"}),
    ],
)
def test_another_configuration_is_another_model(
    keys: tuple[str, ...], value: Any, tiny: Path, copy_of_tiny: Path
) -> None:
    edit(copy_of_tiny, *keys, value=value)
    assert model_fingerprint(str(copy_of_tiny)) != model_fingerprint(str(tiny))


def test_another_weight_is_another_model(tiny: Path, copy_of_tiny: Path) -> None:
    checkpoint = copy_of_tiny / "open_clip_model.safetensors"
    data = bytearray(checkpoint.read_bytes())
    data[-1] ^= 1
    checkpoint.write_bytes(data)
    assert model_fingerprint(str(copy_of_tiny)) != model_fingerprint(str(tiny))


def test_another_vocabulary_is_another_model(tiny: Path, copy_of_tiny: Path) -> None:
    vocabulary = copy_of_tiny / "bpe_simple_vocab.txt.gz"
    words = gzip.decompress(vocabulary.read_bytes())
    vocabulary.write_bytes(gzip.compress(words.replace(b"i n", b"n i"), mtime=0))
    assert model_fingerprint(str(copy_of_tiny)) != model_fingerprint(str(tiny))


def test_weights_are_read_once(copy_of_tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = model_fingerprint(str(copy_of_tiny))
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint_module, "_digest", lambda path: pytest.fail(f"{path} was read again"))
        assert model_fingerprint(str(copy_of_tiny)) == first
    with open(copy_of_tiny / "open_clip_model.safetensors", "ab") as file:
        file.write(b"\0")
    assert model_fingerprint(str(copy_of_tiny)) != first


def test_a_cache_that_cannot_be_written_or_read_costs_only_time(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = model_fingerprint(str(tiny))
    file = tmp_path / "a file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    assert model_fingerprint(str(tiny)) == expected
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert model_fingerprint(str(tiny)) == expected
    for stored in (tmp_path / "clipsearch").iterdir():
        stored.write_text("{")
    assert model_fingerprint(str(tiny)) == expected
