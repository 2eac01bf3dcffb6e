from __future__ import annotations

import json
import logging
import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clipsearch.errors import ModelError
from clipsearch.models import load_encoder
from clipsearch.models.openclip import OpenClipEncoder
from clipsearch.models.tokenizer_files import TokenizerFiles
from clipsearch.models.weights import resolve
from clipsearch.pictures.fit import fit

torch = pytest.importorskip("torch")
import open_clip  # noqa: E402 -- slow, and torch is needed for it

TEXTS = ["two dogs in the snow", "a red car", "", "a very " + "very " * 200 + "long sentence"]
SMALL = "ViT-S-32-alt"


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def reconfigure(folder: Path, **changes: Any) -> None:
    file = folder / "open_clip_config.json"
    config = json.loads(file.read_text())
    config["model_cfg"] |= changes
    file.write_text(json.dumps(config))


def reference(model: Any, tokenizer: Any, transform: Any, images: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """open_clip used directly, as its readme does."""
    model.eval()
    with torch.no_grad():
        pictures = model.encode_image(torch.stack([transform(image) for image in images]))
        texts = model.encode_text(tokenizer(TEXTS))
    return pictures.numpy(), texts.numpy()


@pytest.fixture(scope="module")
def photos() -> list[Any]:
    from PIL import Image

    noise = np.random.default_rng(1).integers(0, 256, (3, 12, 16, 3), np.uint8)
    return [Image.fromarray(one).resize((320, 200 + 40 * i), Image.Resampling.BICUBIC) for i, one in enumerate(noise)]


@pytest.fixture(scope="module")
def weights() -> dict[str, Any]:
    torch.manual_seed(0)
    return {name: value.half() for name, value in open_clip.create_model(SMALL).state_dict().items()}


def save_pt(weights: dict[str, Any], path: Path) -> None:
    """As open_clip's training saves it on several GPUs."""
    torch.save({"epoch": 3, "state_dict": {f"module.{name}": value for name, value in weights.items()}}, path)


def save_safetensors(weights: dict[str, Any], path: Path) -> None:
    from safetensors.torch import save_file

    save_file(weights, path)


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "save"), [(".pt", save_pt), (".safetensors", save_safetensors)])
def test_a_local_checkpoint_equals_open_clip(
    suffix: str,
    save: Callable[[dict[str, Any], Path], None],
    weights: dict[str, Any],
    photos: list[Any],
    tmp_path: Path,
) -> None:
    path = tmp_path / f"checkpoint{suffix}"
    save(weights, path)
    encoder = load_encoder(f"{SMALL}:{path}", device="cpu", offline=True)
    model, _, transform = open_clip.create_model_and_transforms(SMALL, pretrained=str(path))
    pictures, texts = reference(model, open_clip.get_tokenizer(SMALL), transform, photos)
    pixels = np.stack([fit(photo, encoder.preprocessing) for photo in photos])
    assert encoder.dim == pictures.shape[1]
    assert cosines(encoder.encode_images(pixels), pictures).min() >= 0.99999
    assert cosines(encoder.encode_texts(TEXTS), texts).min() >= 0.99999


def test_a_folder_equals_open_clip(tiny: Path, photos: list[Any]) -> None:
    encoder = load_encoder(str(tiny), device="cpu", offline=True)
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{tiny}")
    tokenizer = open_clip.SimpleTokenizer(bpe_path=str(tiny / "bpe_simple_vocab.txt.gz"), context_length=16)
    pictures, texts = reference(model, tokenizer, transform, photos)
    pixels = np.stack([fit(photo, encoder.preprocessing) for photo in photos])
    assert cosines(encoder.encode_images(pixels), pictures).min() >= 0.99999
    assert cosines(encoder.encode_texts(TEXTS), texts).min() >= 0.99999


def test_a_timm_tower_needs_no_network(copy_of_tiny: Path, photos: list[Any]) -> None:
    tower = {"timm_model_name": "test_vit", "timm_model_pretrained": True, "image_size": 160, "timm_proj": "linear"}
    reconfigure(copy_of_tiny, vision_cfg=tower, custom_text=True, init_logit_bias=-10)
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{copy_of_tiny}", load_weights=False)
    save_safetensors(model.state_dict(), copy_of_tiny / "open_clip_model.safetensors")
    encoder = load_encoder(str(copy_of_tiny), device="cpu", offline=True)
    tokenizer = open_clip.SimpleTokenizer(bpe_path=str(copy_of_tiny / "bpe_simple_vocab.txt.gz"), context_length=16)
    pictures, texts = reference(model, tokenizer, transform, photos)
    pixels = np.stack([fit(photo, encoder.preprocessing) for photo in photos])
    assert cosines(encoder.encode_images(pixels), pictures).min() >= 0.99999
    assert cosines(encoder.encode_texts(TEXTS), texts).min() >= 0.99999


@pytest.mark.parametrize("declared", [{}, {"init_logit_bias": -10}])
@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({"logit_scale": math.log(117.25)}, (117.25, None)),
        ({"logit_scale": math.log(117.25), "logit_bias": -12.5}, (117.25, -12.5)),
        ({"logit_scale": [math.log(10)], "logit_bias": [-3.5]}, (10, -3.5)),
    ],
    ids=["softmax", "sigmoid", "one-dimensional"],
)
def test_the_scale_and_the_bias_of_logits_are_those_of_the_weights(
    stored: dict[str, Any], expected: tuple[float, float | None], declared: dict[str, Any], copy_of_tiny: Path
) -> None:
    from safetensors.torch import load_file

    reconfigure(copy_of_tiny, **declared)
    checkpoint = copy_of_tiny / "open_clip_model.safetensors"
    changes = {name: torch.tensor(value, dtype=torch.float32) for name, value in stored.items()}
    save_safetensors(load_file(checkpoint) | changes, checkpoint)
    encoder = load_encoder(str(copy_of_tiny), device="cpu")
    assert encoder.logit_scale == pytest.approx(expected[0], rel=1e-6)
    assert encoder.logit_bias == expected[1]


def test_vectors_are_float32_of_norm_one(tiny: Path, pixels: np.ndarray) -> None:
    encoder = load_encoder(str(tiny), device="cpu")
    for vectors, count in (
        (encoder.encode_images(pixels), 7),
        (encoder.encode_texts(TEXTS), 4),
        (encoder.encode_images(pixels[:0]), 0),
        (encoder.encode_texts([]), 0),
    ):
        assert vectors.dtype == np.float32
        assert vectors.shape == (count, encoder.dim)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_the_encoder_says_what_it_is(tiny: Path) -> None:
    from clipsearch.models import model_fingerprint

    encoder = load_encoder(str(tiny))
    assert encoder.name == str(tiny)
    assert encoder.fingerprint == model_fingerprint(str(tiny))
    assert encoder.dim == 24
    assert encoder.preprocessing.width == 64


def test_a_vector_does_not_depend_on_its_batch_nor_on_how_pixels_lie(tiny: Path, pixels: np.ndarray) -> None:
    encoder = load_encoder(str(tiny), device="cpu")
    together = encoder.encode_images(pixels)
    alone = np.concatenate([encoder.encode_images(pixels[i : i + 1]) for i in range(len(pixels))])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    locked = pixels[::-1].copy()
    locked.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(encoder.encode_images(locked[::-1]), together, atol=1e-5)


def test_when_memory_runs_out_the_batch_is_halved(
    tiny: Path, pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = OpenClipEncoder(resolve(str(tiny)), "cpu")
    expected = encoder.encode_images(pixels)
    encode, tried = encoder.network.encode_image, []

    def encode_at_most(limit: int) -> Callable[[Any], Any]:
        def with_little_memory(batch: Any) -> Any:
            tried.append(len(batch))
            if len(batch) > limit:
                raise torch.OutOfMemoryError("out of memory")
            return encode(batch)

        return with_little_memory

    monkeypatch.setattr(encoder.network, "encode_image", encode_at_most(2))
    np.testing.assert_allclose(encoder.encode_images(pixels), expected, atol=1e-5)
    assert tried == [7, 3, 1, 1, 1, 1, 1, 1, 1]
    monkeypatch.setattr(encoder.network, "encode_image", encode_at_most(0))
    with pytest.raises(ModelError, match="not enough free memory"):
        encoder.encode_images(pixels)


def test_a_device_that_is_not_there(tiny: Path) -> None:
    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    for device in (absent, "tpu"):
        with pytest.raises(ModelError, match=f"no device '{device}' on this machine: pass .*cpu or auto"):
            load_encoder(str(tiny), device=device)


def test_a_damaged_file_of_weights(copy_of_tiny: Path, tmp_path: Path) -> None:
    checkpoint = copy_of_tiny / "open_clip_model.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="is damaged or not a file of weights"):
        load_encoder(str(copy_of_tiny))
    torn = tmp_path / "torn.pt"
    for content in (b"", b"not a checkpoint", b"PK\x03\x04 torn"):
        torn.write_bytes(content)
        with pytest.raises(ModelError, match=r"torn\.pt is damaged or not a file of weights"):
            load_encoder(f"{SMALL}:{torn}")


def test_weights_of_another_architecture(tiny: Path) -> None:
    with pytest.raises(ModelError, match="holds the weights of another architecture"):
        load_encoder(f"{SMALL}:{tiny / 'open_clip_model.safetensors'}")


def test_an_architecture_open_clip_cannot_build(copy_of_tiny: Path) -> None:
    reconfigure(copy_of_tiny, vision_cfg={"timm_model_name": "from_the_future"})
    with pytest.raises(ModelError, match="cannot build the architecture"):
        load_encoder(str(copy_of_tiny))


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    torch.save({"state_dict": {"weight": Trap()}}, tmp_path / "trap.pt")
    with pytest.raises(ModelError):
        load_encoder(f"{SMALL}:{tmp_path / 'trap.pt'}")
    assert not (tmp_path / "sprung").exists()


def test_loading_is_silent_and_leaves_logging_alone(tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = list(logging.getLogger().handlers), list(logging.getLogger().filters)
    load_encoder(str(tiny))
    assert (logging.getLogger().handlers, logging.getLogger().filters) == before
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A tokenizer.json as Gemma's is made, which SigLIP 2 uses: byte-pair merges, an end token, no start token."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    rules = Tokenizer(models.BPE(unk_token="<unk>"))
    rules.normalizer = normalizers.Replace(" ", "▁")
    rules.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=special, show_progress=False)
    rules.train_from_iterator(["two dogs in the snow"] * 9, trainer)
    rules.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    rules.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"pad_token": {"content": "<pad>"}}))
    return tmp_path / "tokenizer.json"


def test_a_tokenizer_json(words: Path) -> None:
    from clipsearch.models.tokenizer import load_tokenizer

    files = TokenizerFiles(words, words.with_name("tokenizer_config.json"), 8, {"clean": "canonicalize"})
    tokenize = load_tokenizer(files)
    tokens = tokenize(["Two  DOGS, in the snow!", "dogs", "two dogs in the snow " * 9])
    assert tokens.shape == (3, 8)
    assert tokens.dtype == np.int64
    assert tokens[0].tolist()[5:] == [1, 0, 0]
    assert tokens[2, -1] == 1, "a long text still ends with the end token"
    np.testing.assert_array_equal(tokens[0], tokenize(["two dogs in the snow"])[0])
    words.with_name("tokenizer_config.json").write_text('{"sep_token": "<eos>"}')
    stripped = load_tokenizer(replace(files, options={"strip_sep_token": True}))
    assert stripped(["two dogs"]).tolist() == [[0 if token == 1 else token for token in tokenize(["two dogs"])[0]]]


def test_a_folder_with_a_tokenizer_json(copy_of_tiny: Path, words: Path) -> None:
    text = json.loads((copy_of_tiny / "open_clip_config.json").read_text())["model_cfg"]["text_cfg"]
    reconfigure(copy_of_tiny, text_cfg=text | {"hf_tokenizer_name": "org/words"})
    (copy_of_tiny / "bpe_simple_vocab.txt.gz").unlink()
    words.rename(copy_of_tiny / "tokenizer.json")
    encoder = load_encoder(str(copy_of_tiny), device="cpu", offline=True)
    a, b, other = encoder.encode_texts(["two dogs", "two dogs", "snow"])
    np.testing.assert_allclose(a, b, atol=1e-6)
    assert np.abs(a - other).max() > 1e-3
    (copy_of_tiny / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json is damaged or not a tokenizer"):
        load_encoder(str(copy_of_tiny), offline=True)
