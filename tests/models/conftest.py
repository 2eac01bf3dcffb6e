"""Small open_clip models with random weights, in every shape a model comes in."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REVISION = "0123456789abcdef0123456789abcdef01234567"
MERGES = 400

TINY = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 512 + MERGES + 2, "width": 64, "heads": 2, "layers": 2},
    },
    "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": 0.25, "interpolation": "bilinear", "resize_mode": "squash"},
}


PutInHubCache = Callable[[Path, str, dict[str, Any]], Path]


@pytest.fixture(scope="session")
def put_in_hub_cache() -> PutInHubCache:
    """Lay out files (name -> content, or a file to copy) in a Hugging Face cache as a download would have."""

    def put(cache: Path, repo: str, files: dict[str, Any]) -> Path:
        storage = cache / f"models--{repo.replace('/', '--')}"
        snapshot = storage / "snapshots" / REVISION
        snapshot.mkdir(parents=True, exist_ok=True)
        (storage / "refs").mkdir(exist_ok=True)
        (storage / "refs" / "main").write_text(REVISION)
        for name, content in files.items():
            (snapshot / name).write_bytes(content.read_bytes() if isinstance(content, Path) else content)
        return snapshot

    return put


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache for this process."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    cache.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    return cache


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `mini` is one: configuration, float16 weights, a vocabulary of its own."""
    import open_clip
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("tiny")
    (folder / "open_clip_config.json").write_text(json.dumps(TINY))
    with gzip.open(open_clip.tokenizer.default_bpe()) as file:
        merges = file.read().decode().split("\n")[: MERGES + 1]
    (folder / "bpe_simple_vocab.txt.gz").write_bytes(gzip.compress("\n".join(merges).encode(), mtime=0))
    network = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    weights = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture
def copy_of_tiny(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "copy of tiny"))


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (7, 64, 64, 3), np.uint8)
