"""Small open_clip models with random weights, in every shape a model comes in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tiny_model import write_tiny

REVISION = "0123456789abcdef0123456789abcdef01234567"
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
    return write_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def copy_of_tiny(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "copy of tiny"))


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (7, 64, 64, 3), np.uint8)
