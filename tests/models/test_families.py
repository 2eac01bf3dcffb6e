"""Every family of models that open_clip serves, small and with random weights, against open_clip used directly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clipsearch.models import catalogue, load_encoder
from clipsearch.pictures.fit import fit

torch = pytest.importorskip("torch")
import open_clip  # noqa: E402 -- slow, and torch is needed for it
import timm.models  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

TEXTS = ["two dogs in the snow", "A red CAR, on a street!", "", "the sea " * 200]
SENTENCES = [*TEXTS[:2], "a red car on a street", "the sea in the evening", "ein roter Bus im Schnee"] * 9


@timm.models.register_model
def tiny_siglip(pretrained: bool = False, **options: Any) -> Any:
    return timm.models.vit_base_patch16_siglip_224(img_size=64, embed_dim=48, depth=2, num_heads=2, **options)


@timm.models.register_model
def tiny_eva(pretrained: bool = False, **options: Any) -> Any:
    return timm.models.eva02_base_patch16_clip_224(img_size=64, embed_dim=48, depth=2, num_heads=2, **options)


@timm.models.register_model
def tiny_pe(pretrained: bool = False, **options: Any) -> Any:
    sizes = {"img_size": 64, "embed_dim": 48, "depth": 2, "num_heads": 2, "ref_feat_shape": (4, 4)}
    return timm.models.vit_pe_core_base_patch16_224(**(options | sizes))


@timm.models.register_model
def tiny_mobileclip(pretrained: bool = False, **options: Any) -> Any:
    sizes = {"layers": (1, 1, 1, 1), "embed_dims": (16, 32, 32, 64)}
    return timm.models.fastvit_mci0(**(options | sizes))


# The architecture whose configuration each family keeps, but for the sizes.
LIKE = {
    "siglip": "ViT-B-16-SigLIP",
    "siglip2": "ViT-B-32-SigLIP2-256",
    "convnext": "convnext_base_w",
    "resnet": "RN50",
    "eva": "EVA02-B-16",
    "coca": "coca_ViT-B-32",
    "mobileclip": "MobileCLIP-S1",
    "pe": "PE-Core-B-16",
    "clipa": "ViT-L-14-CLIPA",
    "xlm-roberta": "xlm-roberta-base-ViT-B-32",
}
TOWERS: dict[str, dict[str, Any]] = {
    "siglip": {"timm_model_name": "tiny_siglip"},
    "siglip2": {"timm_model_name": "tiny_siglip"},
    "convnext": {"timm_model_name": "convnext_atto"},
    "resnet": {"layers": [1, 1, 1, 1], "width": 16},
    "eva": {"timm_model_name": "tiny_eva"},
    "coca": {"layers": 2, "width": 64, "head_width": 32, "patch_size": 16, "attn_pooler_heads": 2},
    "mobileclip": {"timm_model_name": "tiny_mobileclip"},
    "pe": {"timm_model_name": "tiny_pe"},
    "clipa": {"layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
    "xlm-roberta": {"layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
}
# Where a timm tower has no projection of its own, the vectors are as long as it is wide.
TEXT = {"width": 48, "heads": 2, "layers": 2}


def _sentencepiece(folder: Path, **special: int) -> str:
    from sentencepiece import SentencePieceTrainer

    model = folder / "pieces.model"
    SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_prefix=str(model.with_suffix("")),
        vocab_size=34,
        minloglevel=2,
        **special,
    )
    return str(model)


def write_t5_tokenizer(folder: Path) -> int:
    """As SigLIP's is made: T5's, padded with its end token."""
    from transformers import T5Tokenizer

    _sentencepiece(folder, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    (folder / "pieces.model").rename(folder / "spiece.model")
    T5Tokenizer.from_pretrained(folder, extra_ids=0, pad_token="</s>").save_pretrained(folder)
    (folder / "spiece.model").unlink()
    return 34


def write_gemma_tokenizer(folder: Path) -> int:
    """As SigLIP 2's is made: Gemma's, with an end token and no start token."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    rules = Tokenizer(models.BPE(unk_token="<unk>"))
    rules.normalizer = normalizers.Replace(" ", "▁")
    rules.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    trainer = trainers.BpeTrainer(
        vocab_size=150, special_tokens=["<pad>", "<eos>", "<bos>", "<unk>"], show_progress=False
    )
    rules.train_from_iterator(SENTENCES, trainer)
    rules.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    rules.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "GemmaTokenizer",
        "add_bos_token": False,
        "add_eos_token": True,
        "padding_side": "right",
    }
    settings |= {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return 150


def write_bert_tokenizer(folder: Path) -> int:
    from transformers import BertTokenizer

    words = sorted({word for sentence in SENTENCES for word in sentence.lower().split()})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *"abcdefghijklmnopqrstuvwxyz,.!"]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)))
    BertTokenizer.from_pretrained(folder).save_pretrained(folder)
    (folder / "vocab.txt").unlink()
    return len(pieces)


def write_xlm_roberta(folder: Path) -> int:
    """A text tower that open_clip takes from transformers: its shape, and its tokenizer."""
    from transformers import XLMRobertaConfig, XLMRobertaTokenizer

    _sentencepiece(folder, bos_id=0, pad_id=1, eos_id=2, unk_id=3)
    (folder / "pieces.model").rename(folder / "sentencepiece.bpe.model")
    tokenizer = XLMRobertaTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = XLMRobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=90, pad_token_id=1, **sizes)
    config.save_pretrained(folder)
    return len(tokenizer)


TOKENIZERS: dict[str, Callable[[Path], int]] = {
    "siglip": write_t5_tokenizer,
    "siglip2": write_gemma_tokenizer,
    "clipa": write_bert_tokenizer,
    "xlm-roberta": write_xlm_roberta,
}


def shrunk(family: str, folder: Path) -> dict[str, Any]:
    """The family's configuration with small towers, its tokenizer written to `folder`."""
    config = catalogue.architecture_config(LIKE[family])
    vision = config["vision_cfg"] | {"image_size": 64} | TOWERS[family]
    text = config["text_cfg"]
    vocabulary = {"vocab_size": TOKENIZERS[family](folder)} if family in TOKENIZERS else {}
    if family != "xlm-roberta":
        text |= TEXT | vocabulary
    else:
        text |= {"hf_model_name": str(folder), "hf_proj_type": "mlp"}
    config |= {"embed_dim": 64 if family == "mobileclip" else 48, "vision_cfg": vision, "text_cfg": text}
    if "multimodal_cfg" in config:
        config["multimodal_cfg"] |= TEXT | {"attn_pooler_heads": 2}
    return config


@pytest.fixture(scope="module")
def photos() -> list[Any]:
    noise = np.random.default_rng(1).integers(0, 256, (4, 12, 16, 3), np.uint8)
    sizes = [(320, 200), (320, 241), (201, 320), (320, 320)]
    return [Image.fromarray(one).resize(size, Image.Resampling.BICUBIC) for one, size in zip(noise, sizes, strict=True)]


def unit(vectors: Any) -> np.ndarray:
    values = vectors.numpy().astype(np.float64)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def with_random_weights(folder: Path, bias: float | None) -> None:
    """Draw weights large enough that vectors differ: libraries begin so small that all are alike."""
    torch.manual_seed(5)
    network = open_clip.create_model(f"local-dir:{folder}", load_weights=False, pretrained_text=False)
    for name, parameter in network.named_parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
        elif "gamma" in name:  # ConvNeXt's blocks begin switched off
            torch.nn.init.ones_(parameter)
    torch.nn.init.constant_(network.logit_scale, 3.5)
    if bias is not None:
        torch.nn.init.constant_(network.logit_bias, bias)
    save_file(network.state_dict(), folder / "open_clip_model.safetensors")


@pytest.mark.parametrize("family", LIKE)
def test_vectors_equal_those_of_open_clip(family: str, photos: list[Any], tmp_path: Path, by_pillow: None) -> None:
    config = shrunk(family, tmp_path)
    tag = next(iter(catalogue.published()[LIKE[family]].values()))
    preparation = {key: tag[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in tag}
    stored = {"model_cfg": config, "preprocess_cfg": preparation}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(stored))
    bias = -11.5 if "init_logit_bias" in config else None
    with_random_weights(tmp_path, bias)

    encoder = load_encoder(str(tmp_path), device="cpu", offline=True)
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{tmp_path}", pretrained_text=False)
    model.eval()
    tokenize = open_clip.get_tokenizer(f"local-dir:{tmp_path}")
    with torch.no_grad():
        pictures = unit(model.encode_image(torch.stack([transform(photo) for photo in photos])))
        texts = unit(model.encode_text(tokenize(TEXTS)))
    seen = encoder.encode_images(np.stack([fit(photo, encoder.preprocessing) for photo in photos]))
    read = encoder.encode_texts(TEXTS)
    for ours, theirs in ((seen, pictures), (read, texts)):
        assert ours.dtype == np.float32
        assert np.sum(ours * theirs, axis=1).min() >= 0.99999
        assert np.sum(theirs * np.roll(theirs, 1, axis=0), axis=1).max() < 0.9999, "any two are alike to this model"
        # Also where random weights put all vectors near to each other: what is left without their mean.
        left, expected = ours - theirs.mean(axis=0), theirs - theirs.mean(axis=0)
        lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(expected, axis=1)
        assert (np.sum(left * expected, axis=1) / lengths).min() >= 0.9999
    assert encoder.logit_scale == pytest.approx(np.exp(3.5), rel=1e-6)
    assert encoder.logit_bias == bias


# CoCa's tower has a token of its own at the end; XLM-RoBERTa's is one of transformers.
TEXT_BY_TORCH = {"coca", "xlm-roberta"}


@pytest.mark.parametrize("family", LIKE)
def test_exported_towers_equal_open_clip(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clipsearch.models.towers.encoder import PortableEncoder
    from clipsearch.models.towers.samples import sample_pixels
    from clipsearch.models.weights import resolve

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("clipsearch.models.towers.selection._SECONDS", 0)
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": shrunk(family, tmp_path)}))
    with_random_weights(tmp_path, None)
    encoder = PortableEncoder(resolve(str(tmp_path)), "onnx", threads=1)
    pixels = np.concatenate([sample_pixels(encoder.preprocessing)] * 2)
    found = encoder.encode_images(pixels)
    [kept] = (tmp_path / "cache/clipsearch/towers" / encoder.fingerprint).glob("*.onnx")
    assert type(encoder._images).__name__ == "ImageTower", kept

    model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{tmp_path}", pretrained_text=False)
    mean, std = (
        torch.tensor(values).view(3, 1, 1) for values in (encoder.preprocessing.mean, encoder.preprocessing.std)
    )
    seen = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - mean) / std
    with torch.no_grad():
        expected = unit(model.eval().encode_image(seen))
    assert (found * expected).sum(axis=1).min() >= 0.999
    assert (encoder._facts.text == "torch") == (family in TEXT_BY_TORCH)


@pytest.mark.parametrize("family", [*TOKENIZERS, "pe", "coca", "convnext"])
def test_tokens_equal_those_of_open_clip(family: str, tmp_path: Path) -> None:
    from clipsearch.models.tokenizer import load_tokenizer
    from clipsearch.models.weights import blueprint

    config = shrunk(family, tmp_path)
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))
    files = blueprint(str(tmp_path)).tokenizer
    tokens = load_tokenizer(files)(TEXTS)
    np.testing.assert_array_equal(tokens, open_clip.get_tokenizer(f"local-dir:{tmp_path}")(TEXTS))
    expected = {"siglip": 64, "siglip2": 64, "clipa": 32, "pe": 32, "coca": 76}.get(family, 77)
    assert tokens.shape == (len(TEXTS), expected)
