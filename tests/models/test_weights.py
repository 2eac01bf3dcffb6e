from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from clipsearch.errors import ModelError, ModelUnavailable
from clipsearch.models import choose_default
from clipsearch.models.presets import DEFAULT, PRESETS
from clipsearch.models.weights import resolve
from clipsearch.types import Preprocessing

LAION = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
REVISION = "0123456789abcdef0123456789abcdef01234567"

PutInHubCache = Callable[[Path, str, dict[str, Any]], Path]

FINGERPRINT = """
import sys
from clipsearch.errors import ClipsearchError
from clipsearch.models import model_fingerprint
try:
    print(model_fingerprint(sys.argv[1], offline=sys.argv[2] == "offline"))
except ClipsearchError as error:
    print(type(error).__name__, error)
print("torch" in sys.modules)
"""


def fingerprint_elsewhere(name: str, how: str, tmp_path: Path, **environment: str) -> tuple[str, bool]:
    """Ask another process, which reads `environment` afresh; returns its answer and whether it imported torch."""
    clean = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    run = subprocess.run(
        [sys.executable, "-c", FINGERPRINT, name, how],
        env=clean | {"PYTHONPATH": str(Path.cwd()), "HF_HOME": str(tmp_path / "hf")} | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answer, torch = run.stdout.splitlines()
    return answer, torch == "True"


def test_a_folder(tiny: Path) -> None:
    model = resolve(str(tiny), offline=True)
    assert model.name == str(tiny)
    assert model.checkpoint == tiny / "open_clip_model.safetensors"
    assert model.tokenizer.vocabulary == tiny / "bpe_simple_vocab.txt.gz"
    assert model.tokenizer.context_length == 16
    assert model.preprocessing == Preprocessing(
        64, 64, "squash", "bilinear", mean=(0.5, 0.4, 0.3), std=(0.25, 0.25, 0.25)
    )


def test_a_file_of_weights_beside_others_must_have_the_usual_name(copy_of_tiny: Path) -> None:
    usual = copy_of_tiny / "open_clip_model.safetensors"
    usual.rename(copy_of_tiny / "epoch_1.pt")
    assert resolve(str(copy_of_tiny)).checkpoint.name == "epoch_1.pt"
    (copy_of_tiny / "epoch_2.pt").touch()
    with pytest.raises(ModelError, match="several files of weights: name the file to use open_clip_model"):
        resolve(str(copy_of_tiny))


def test_a_folder_that_is_no_model(tmp_path: Path, copy_of_tiny: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no model at .*nowhere"):
        resolve(str(tmp_path / "nowhere"))
    for text in ("not json", "[]", "{}", '{"model_cfg": {}}'):
        (copy_of_tiny / "open_clip_config.json").write_text(text)
        with pytest.raises(ModelError, match="does not describe an open_clip model"):
            resolve(str(copy_of_tiny))


def test_a_missing_checkpoint() -> None:
    with pytest.raises(ModelError, match=r"There is no file /nowhere/x\.pt"):
        resolve("ViT-B-32:/nowhere/x.pt")


def test_a_tag_found_in_the_cache_without_network(hub_cache: Path, put_in_hub_cache: PutInHubCache) -> None:
    snapshot = put_in_hub_cache(hub_cache, LAION, {"open_clip_pytorch_model.bin": b"w"})
    model = resolve("fast", offline=True)
    assert model.name == "ViT-B-32/laion2b_s34b_b79k"
    assert model.checkpoint == snapshot / "open_clip_pytorch_model.bin"
    put_in_hub_cache(hub_cache, LAION, {"open_clip_model.safetensors": b"w"})
    assert resolve("fast").checkpoint == snapshot / "open_clip_model.safetensors"


def test_a_tag_brings_the_activation_it_was_trained_with(hub_cache: Path, put_in_hub_cache: PutInHubCache) -> None:
    put_in_hub_cache(hub_cache, "timm/vit_base_patch32_clip_224.openai", {"open_clip_model.safetensors": b"w"})
    assert resolve("ViT-B-32/openai", offline=True).config["quick_gelu"] is True
    put_in_hub_cache(hub_cache, LAION, {"open_clip_model.safetensors": b"w"})
    assert not resolve("fast", offline=True).config.get("quick_gelu")


def test_a_repository_and_the_tokenizer_of_another_one(
    hub_cache: Path, put_in_hub_cache: PutInHubCache, tiny: Path, tmp_path: Path
) -> None:
    config = json.loads((tiny / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "org/words"
    weights = tiny / "open_clip_model.safetensors"
    files = {"open_clip_config.json": json.dumps(config).encode(), "open_clip_model.safetensors": weights}
    snapshot = put_in_hub_cache(hub_cache, "org/tiny", files)
    with pytest.raises(ModelUnavailable):
        resolve("hf-hub:org/tiny", offline=True)
    words = put_in_hub_cache(hub_cache, "org/words", {"tokenizer.json": b"{}", "tokenizer_config.json": b"{}"})
    model = resolve("hf-hub:org/tiny", offline=True)
    assert model.checkpoint == snapshot / "open_clip_model.safetensors"
    assert model.tokenizer.vocabulary == words / "tokenizer.json"
    assert model.tokenizer.settings == words / "tokenizer_config.json"


@pytest.mark.parametrize("variable", ["HF_HOME", "HF_HUB_CACHE"])
def test_the_cache_may_be_moved_and_torch_is_not_needed(
    variable: str, tiny: Path, tmp_path: Path, put_in_hub_cache: PutInHubCache
) -> None:
    cache = tmp_path / "moved"
    files = {name: tiny / name for name in ("open_clip_config.json", "open_clip_model.safetensors")}
    put_in_hub_cache(cache / "hub" if variable == "HF_HOME" else cache, "org/tiny", files)
    answer, torch = fingerprint_elsewhere("hf-hub:org/tiny", "offline", tmp_path, **{variable: str(cache)})
    assert len(answer) == 32, answer
    assert not torch


def test_offline_says_what_to_do(hub_cache: Path) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        resolve(DEFAULT, offline=True)
    assert "offline" in str(caught.value)
    assert "--model mini" in str(caught.value)
    assert "ARCHITECTURE:/path/to/checkpoint.pt" in str(caught.value)


@pytest.mark.parametrize("name", ["hf-hub:org/tiny", "hf:org/tiny"])
def test_a_refused_network_is_told_at_once(name: str, tmp_path: Path) -> None:
    started = time.monotonic()
    answer, _ = fingerprint_elsewhere(name, "online", tmp_path, HTTPS_PROXY="http://127.0.0.1:9")
    assert answer.startswith(f"ModelUnavailable The model {name} is not on this machine"), answer
    assert "cannot be reached" in answer
    assert "--model mini" in answer
    assert time.monotonic() - started < 10


class FakeHub(BaseHTTPRequestHandler):
    """Enough of the Hub's protocol to download from: files of org/tiny, and repositories that refuse."""

    files: dict[str, bytes] = {}  # noqa: RUF012 -- set by the fixture

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        path = self.path.lstrip("/").partition("?")[0]
        repo, _, name = re.sub("/resolve/[0-9a-f]{40}/", "/resolve/main/", path).partition("/resolve/main/")
        files = self.files
        if repo.startswith("api/models/org/tiny/"):
            entries = [{"type": "file", "path": file, "size": len(files[file]), "oid": file} for file in files]
            listing = entries if "/tree/" in repo else {"id": "org/tiny", "sha": REVISION}
            repo, name, files = "org/tiny", "listing", {"listing": json.dumps(listing).encode()}
        refusals = {"org/gated": (403, "GatedRepo"), "org/missing": (401, "RepoNotFound"), "org/broken": (503, "")}
        body = files.get(name, b"") if repo == "org/tiny" else b""
        status, code = refusals.get(repo, (200, "") if body else (404, "EntryNotFound"))
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("ETag", f'"{name}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def fake_hub(tiny: Path) -> Iterator[str]:
    FakeHub.files = {name: (tiny / name).read_bytes() for name in ("open_clip_config.json",)}
    FakeHub.files["open_clip_pytorch_model.bin"] = (tiny / "open_clip_model.safetensors").read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_what_is_missing_is_downloaded_once(fake_hub: str, tmp_path: Path) -> None:
    first, _ = fingerprint_elsewhere("hf-hub:org/tiny", "online", tmp_path, HF_ENDPOINT=fake_hub)
    assert len(first) == 32, first
    FakeHub.files = {}
    again, _ = fingerprint_elsewhere("hf-hub:org/tiny", "online", tmp_path, HF_ENDPOINT=fake_hub)
    assert again == first


def test_a_repository_of_transformers_is_downloaded_once(fake_hub: str, tmp_path: Path) -> None:
    FakeHub.files = {
        "config.json": b'{"model_type": "clip"}',
        "model.safetensors": b"weights",
        "preprocessor_config.json": b"{}",
        "tokenizer.json": b"{}",
        "README.md": b"not needed",
    }
    first, torch = fingerprint_elsewhere("hf:org/tiny", "online", tmp_path, HF_ENDPOINT=fake_hub)
    assert len(first) == 32, first
    assert not torch
    FakeHub.files = {}
    again, _ = fingerprint_elsewhere("hf:org/tiny", "offline", tmp_path, HF_ENDPOINT=fake_hub)
    assert again == first
    assert not list(tmp_path.rglob("README.md"))


def test_a_repository_that_is_no_model_of_transformers(fake_hub: str, tmp_path: Path) -> None:
    FakeHub.files = {"config.json": b"{}", "tokenizer.json": b"{}"}
    answer, _ = fingerprint_elsewhere("hf:org/tiny", "online", tmp_path, HF_ENDPOINT=fake_hub)
    assert re.match(r"ModelError \S+ is no complete model: it has no weights", answer), answer


@pytest.mark.parametrize(
    ("repo", "reason"),
    [
        ("org/gated", "asks you to log in and accept its terms"),
        ("org/missing", "has no public repository org/missing"),
        ("org/empty", "has no open_clip_config.json"),
        ("org/broken", "answered with an error"),
    ],
)
def test_a_refusal_says_why(repo: str, reason: str, fake_hub: str, tmp_path: Path) -> None:
    started = time.monotonic()
    answer, _ = fingerprint_elsewhere(f"hf-hub:{repo}", "online", tmp_path, HF_ENDPOINT=fake_hub)
    assert answer.startswith("ModelUnavailable"), answer
    assert reason in answer
    assert time.monotonic() - started < 10


def test_the_default_falls_back_to_mini_with_a_notice(hub_cache: Path) -> None:
    choice = choose_default(offline=True)
    assert choice.name == "mini"
    assert choice.notice is not None
    for part in (PRESETS[DEFAULT].model, "offline", "far worse", "--model default"):
        assert part in choice.notice


def test_the_default_is_taken_when_it_is_there(hub_cache: Path, put_in_hub_cache: PutInHubCache) -> None:
    names = ("open_clip_model.safetensors", "tokenizer.json", "tokenizer_config.json")
    put_in_hub_cache(hub_cache, "timm/ViT-B-32-SigLIP2-256", dict.fromkeys(names, b"x"))
    choice = choose_default(offline=True)
    assert choice.name == PRESETS[DEFAULT].model
    assert choice.notice is None


def test_importing_the_room_is_quick() -> None:
    heavy = "torch", "open_clip", "huggingface_hub", "transformers", "tokenizers"
    code = f"import sys, clipsearch.models as m; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
