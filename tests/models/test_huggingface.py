from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clipsearch.errors import ModelError, ModelUnavailable
from clipsearch.models import load_encoder, model_fingerprint
from clipsearch.models.hf_files import resolve_hf
from clipsearch.models.names import HfFolder, HfRepository, parse
from clipsearch.models.weights import resolve
from clipsearch.pictures.fit import fit

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from tests.models import hf_models  # noqa: E402 -- torch is needed for it

TEXTS = ["two dogs in the snow", "a Red car!", "", "the sea " * 200]
FAMILIES: dict[str, Callable[[Path], Path]] = {
    "clip": hf_models.write_clip,
    "clip, cropped": lambda folder: hf_models.write_clip(folder, side=44),
    "siglip": hf_models.write_siglip,
    "align": hf_models.write_align,
}


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            torch.manual_seed(3)
            made[family] = FAMILIES[family](tmp_path_factory.mktemp("hf"))
        return made[family]

    return folder


@pytest.fixture
def copy_of_clip(folders: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(folders("clip"), tmp_path / "copy of clip"))


@pytest.fixture(scope="module")
def photos() -> list[Any]:
    noise = np.random.default_rng(1).integers(0, 256, (4, 12, 16, 3), np.uint8)
    sizes = [(320, 200), (320, 241), (201, 320), (320, 320)]
    return [Image.fromarray(one).resize(size, Image.Resampling.BICUBIC) for one, size in zip(noise, sizes, strict=True)]


@pytest.mark.parametrize("family", FAMILIES)
def test_vectors_and_logits_equal_those_of_transformers(
    family: str, folders: Callable[[str], Path], photos: list[Any], by_pillow: None
) -> None:
    from transformers import AutoModel, AutoProcessor

    folder = folders(family)
    encoder = load_encoder(str(folder), device="cpu", offline=True)
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoProcessor.from_pretrained(folder)
    seen = processor(images=photos, return_tensors="pt")
    read = processor(text=TEXTS, padding="max_length", truncation=True, return_tensors="pt")
    with torch.no_grad():
        output = model(**seen, **read)
    pictures = encoder.encode_images(np.stack([fit(photo, encoder.preprocessing) for photo in photos]))
    texts = encoder.encode_texts(TEXTS)
    assert pictures.shape[1] == texts.shape[1] == encoder.dim
    assert pictures.dtype == texts.dtype == np.float32
    assert cosines(pictures, output.image_embeds.numpy()).min() >= 0.9999
    assert cosines(texts, output.text_embeds.numpy()).min() >= 0.9999
    assert cosines(pictures, np.roll(pictures, 1, axis=0)).max() < 0.999, "any two pictures look alike to this model"
    assert cosines(texts, np.roll(texts, 1, axis=0)).max() < 0.999, "any two texts look alike to this model"
    logits = encoder.logit_scale * pictures @ texts.T + (encoder.logit_bias or 0)
    np.testing.assert_allclose(logits, output.logits_per_image.numpy(), atol=2e-3 * encoder.logit_scale)


def test_each_family_has_its_scale_bias_and_preparation(folders: Callable[[str], Path]) -> None:
    clip, siglip, align = (load_encoder(str(folders(name)), device="cpu") for name in ("clip", "siglip", "align"))
    assert clip.logit_scale == pytest.approx(np.exp(3.25), rel=1e-6)
    assert siglip.logit_scale == pytest.approx(np.exp(4.5), rel=1e-6)
    assert align.logit_scale == 16, "the inverse of a temperature of 1/16"
    assert (clip.logit_bias, siglip.logit_bias, align.logit_bias) == (None, -12.75, None)
    assert clip.preprocessing.resize_mode == "shortest_hf"
    assert clip.preprocessing.mean == pytest.approx((0.48145466, 0.4578275, 0.40821073), abs=1e-6)
    assert clip.preprocessing.std == pytest.approx((0.26862954, 0.26130258, 0.27577711), abs=1e-6)
    assert (align.preprocessing.width, align.preprocessing.resize_mode) == (346, "squash")
    assert align.preprocessing.interpolation == "bilinear"
    assert align.preprocessing.mean == align.preprocessing.std == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_vector_does_not_depend_on_its_batch(family: str, folders: Callable[[str], Path]) -> None:
    encoder = load_encoder(str(folders(family)), device="cpu")
    together = encoder.encode_texts(TEXTS)
    alone = np.concatenate([encoder.encode_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    assert encoder.encode_texts([]).shape == (0, encoder.dim)


def test_names(folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folders("clip")
    assert parse(str(folder)) == parse(f"local-dir:{folder}") == HfFolder(folder)
    assert str(HfFolder(folder)) == str(folder)
    assert parse("hf:kakaobrain/align-base") == HfRepository("kakaobrain/align-base")
    assert str(HfRepository("kakaobrain/align-base")) == "hf:kakaobrain/align-base"
    monkeypatch.chdir(folder.parent)
    assert parse(folder.name) == HfFolder(folder)
    with pytest.raises(ModelError, match="hf:ORGANISATION/NAME"):
        parse("hf:a/b/c")


def test_a_folder_with_both_configurations_is_open_clips(copy_of_clip: Path, tiny: Path) -> None:
    shutil.copy(tiny / "open_clip_config.json", copy_of_clip)
    assert not isinstance(parse(str(copy_of_clip)), HfFolder)


def test_open_clip_is_not_asked_for_it(folders: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match="name a model of open_clip"):
        resolve(str(folders("clip")))


def test_a_repository_in_the_cache_without_network(
    folders: Callable[[str], Path], hub_cache: Path, put_in_hub_cache: Callable[..., Path]
) -> None:
    folder = folders("siglip")
    files = {path.name: path for path in folder.iterdir()}
    weights = {"model.safetensors": files.pop("model.safetensors")}
    put_in_hub_cache(hub_cache, "org/siglip", files)
    with pytest.raises(ModelUnavailable, match=r"hf:org/siglip is not on this machine .*offline"):
        load_encoder("hf:org/siglip", offline=True)
    put_in_hub_cache(hub_cache, "org/siglip", weights)
    encoder = load_encoder("hf:org/siglip", device="cpu", offline=True)
    assert encoder.name == "hf:org/siglip"
    assert encoder.fingerprint == model_fingerprint("hf:org/siglip", offline=True) == model_fingerprint(str(folder))


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("model.safetensors", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        ("processor_config.json", lambda data: data.replace(b'"resample": 3', b'"resample": 2')),
        ("tokenizer_config.json", lambda data: data.replace(b'"model_max_length": 16', b'"model_max_length": 15')),
        ("config.json", lambda data: data.replace(b'"quick_gelu"', b'"gelu"')),
    ],
)
def test_what_changes_vectors_changes_the_fingerprint(
    file: str, change: Callable[[bytes], bytes], copy_of_clip: Path, folders: Callable[[str], Path]
) -> None:
    before = model_fingerprint(str(copy_of_clip))
    assert before == model_fingerprint(str(folders("clip")))
    data = (copy_of_clip / file).read_bytes()
    assert change(data) != data
    (copy_of_clip / file).write_bytes(change(data))
    assert model_fingerprint(str(copy_of_clip)) != before


def test_the_version_that_saved_a_model_does_not_change_its_fingerprint(copy_of_clip: Path) -> None:
    before = model_fingerprint(str(copy_of_clip))
    config = json.loads((copy_of_clip / "config.json").read_text())
    config |= {"transformers_version": "4.0", "_name_or_path": "elsewhere"}
    (copy_of_clip / "config.json").write_text(json.dumps(config))
    assert model_fingerprint(str(copy_of_clip)) == before


def test_weights_in_shards(folders: Callable[[str], Path], tmp_path: Path) -> None:
    from transformers import AutoModel

    whole, parted = folders("clip"), Path(shutil.copytree(folders("clip"), tmp_path / "parted"))
    (parted / "model.safetensors").unlink()
    AutoModel.from_pretrained(whole).save_pretrained(parted, max_shard_size="60KB")
    model = resolve_hf(HfFolder(parted))
    assert len(model.weights) > 1
    vectors = [load_encoder(str(folder), device="cpu").encode_texts(TEXTS) for folder in (whole, parted)]
    np.testing.assert_array_equal(*vectors)
    model.weights[-1].unlink()
    with pytest.raises(ModelError, match="it has no weights"):
        resolve_hf(HfFolder(parted))


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("config.json", None, "There is no model at"),
        ("config.json", b"{", r"config\.json is damaged: get the file again"),
        (
            "config.json",
            b'{"model_type": "from_the_future"}',
            "no architecture that the installed transformers library",
        ),
        ("config.json", b'{"model_type": "bert"}', "cannot be loaded"),
        ("config.json", b'{"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}', "no architecture that"),
        ("model.safetensors", None, r"it has no weights: model\.safetensors or pytorch_model\.bin"),
        ("model.safetensors", b"torn", r"model\.safetensors of .* cannot be loaded: it is damaged"),
        ("processor_config.json", None, r"it has no preprocessor_config\.json or processor_config\.json"),
        ("processor_config.json", b"{", "prepares pictures in a way that clipsearch does not know"),
        ("tokenizer.json", b"{", "The tokenizer of .* is damaged or incomplete"),
    ],
)
def test_missing_and_damaged_files(file: str, content: bytes | None, sentence: str, copy_of_clip: Path) -> None:
    if content is None:
        (copy_of_clip / file).unlink()
    else:
        (copy_of_clip / file).write_bytes(content)
    with pytest.raises(ModelError, match=sentence) as caught:
        load_encoder(str(copy_of_clip), device="cpu")
    assert "\n" not in str(caught.value)


def test_weights_that_lack_a_layer_are_not_made_up(copy_of_clip: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(copy_of_clip / "model.safetensors")
    del weights["text_projection.weight"]
    save_file(weights, copy_of_clip / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="does not hold all weights"):
        load_encoder(str(copy_of_clip), device="cpu")


def test_a_model_that_is_no_dual_encoder(copy_of_clip: Path) -> None:
    from transformers import BertConfig, BertModel

    BertModel(BertConfig(vocab_size=99, **hf_models.TEXT)).save_pretrained(copy_of_clip)
    with pytest.raises(ModelError, match=r"\(BertModel\) does not embed pictures and texts into one space"):
        load_encoder(str(copy_of_clip), device="cpu")


@pytest.mark.parametrize(
    "change",
    [{"do_resize": False}, {"do_center_crop": False}, {"resample": 0}, {"crop_size": {"height": 64, "width": 64}}],
)
def test_a_preparation_that_cannot_be_had_is_refused(change: dict[str, Any], copy_of_clip: Path) -> None:
    file = copy_of_clip / "processor_config.json"
    stored = json.loads(file.read_text())
    stored["image_processor"] |= change
    file.write_text(json.dumps(stored))
    with pytest.raises(ModelError, match="prepares pictures in a way that clipsearch does not know"):
        load_encoder(str(copy_of_clip), device="cpu")


def test_without_the_extra_it_says_what_to_install(
    folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folders("clip")
    monkeypatch.setitem(sys.modules, "transformers", None)
    for name in (str(folder), "hf:org/clip"):
        with pytest.raises(ModelError, match=r"not installed: run `pip install 'clipsearch\[hf\]'`"):
            load_encoder(name)


def test_loading_is_silent(folders: Callable[[str], Path], capfd: pytest.CaptureFixture[str]) -> None:
    folder = folders("clip")
    capfd.readouterr()
    load_encoder(str(folder), device="cpu")
    assert capfd.readouterr() == ("", "")
