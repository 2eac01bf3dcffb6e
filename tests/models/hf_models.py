"""Small dual encoders of the transformers library with random weights, saved as the library saves them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import torch

SENTENCES = [
    "two dogs in the snow",
    "a red car on a street",
    "the sea in the evening",
    "a picture of a birthday cake with candles",
]

TEXT = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION = TEXT | {"image_size": 32, "patch_size": 8}


def write_clip(folder: Path, side: int = 32) -> Path:
    """CLIP with a tokenizer of byte pairs; pictures are resized to `side` at their shortest and cropped to 32."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    vocabulary = _write_byte_pairs(folder)
    text = TEXT | {"max_position_embeddings": 16, "vocab_size": len(vocabulary)}
    text |= {"bos_token_id": len(vocabulary) - 2, "eos_token_id": len(vocabulary) - 1}
    config = CLIPConfig(text_config=text, vision_config=VISION, projection_dim=24)
    images = CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": 32, "width": 32})
    tokenizer = CLIPTokenizer.from_pretrained(folder, model_max_length=16)
    CLIPProcessor(images, tokenizer).save_pretrained(folder)
    return _save(CLIPModel(config), folder, logit_scale=3.25)


def write_siglip(folder: Path) -> Path:
    """SigLIP with a sentencepiece vocabulary, whose texts are padded and whose padding is seen."""
    from sentencepiece import SentencePieceTrainer
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipProcessor, SiglipTokenizer

    SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 9),
        model_prefix=str(folder / "spiece"),
        vocab_size=30,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    (folder / "spiece.vocab").unlink()
    config = SiglipConfig(text_config=TEXT | {"max_position_embeddings": 12, "vocab_size": 30}, vision_config=VISION)
    tokenizer = SiglipTokenizer.from_pretrained(folder, model_max_length=12)
    SiglipProcessor(SiglipImageProcessor(size={"height": 32, "width": 32}), tokenizer).save_pretrained(folder)
    return _save(SiglipModel(config), folder, logit_scale=4.5, logit_bias=-12.75)


def write_align(folder: Path) -> Path:
    """ALIGN, whose pictures are prepared as those of kakaobrain/align-base: resized to 346 x 346, the middle seen."""
    from transformers import AlignConfig, AlignModel, AlignProcessor, BertTokenizer, EfficientNetImageProcessor

    words = sorted({word for sentence in SENTENCES for word in sentence.split()})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *"abcdefghijklmnopqrstuvwxyz,.!"]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)))
    tokenizer = BertTokenizer.from_pretrained(folder, model_max_length=64)
    images = EfficientNetImageProcessor(
        size={"height": 346, "width": 346},
        crop_size={"height": 289, "width": 289},
        do_center_crop=True,
        do_normalize=False,
        rescale_factor=1 / 127.5,
        rescale_offset=True,
        include_top=False,
        resample=2,
    )
    AlignProcessor(images, tokenizer).save_pretrained(folder)
    vision = {
        "image_size": 289,
        "width_coefficient": 1.0,
        "depth_coefficient": 0.1,
        "kernel_sizes": [3, 5],
        "in_channels": [32, 16],
        "out_channels": [16, 24],
        "depthwise_padding": [],
        "strides": [2, 2],
        "num_block_repeats": [1, 1],
        "expand_ratios": [1, 6],
        "hidden_dim": 40,  # also the side of the pool, which has to span what is left of 289 pixels
    }
    text = TEXT | {"vocab_size": len(tokenizer)}
    network = AlignModel(AlignConfig(text_config=text, vision_config=vision, projection_dim=24))
    for name, value in network.named_buffers():
        if value.is_floating_point():  # statistics of batches: fresh ones would change nothing
            value.uniform_(0.5, 1.5) if name.endswith("var") else value.normal_(0, 0.1)
    return _save(network, folder, temperature=0.0625)


def _save(network: Any, folder: Path, **learned: float) -> Path:
    for parameter in network.parameters():  # the libraries' own begin so small that all vectors are alike
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter)
    for name, value in learned.items():
        torch.nn.init.constant_(getattr(network, name), value)
    network.save_pretrained(folder)
    return folder


def _write_byte_pairs(folder: Path) -> dict[str, int]:
    """The letters and first merges of CLIP's own vocabulary."""
    from open_clip.tokenizer import bytes_to_unicode, default_bpe

    with gzip.open(default_bpe()) as file:
        merges = file.read().decode().split("\n")[1:200]
    letters = list(bytes_to_unicode().values())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(merge.split()) for merge in merges)]
    vocabulary = {token: i for i, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))
    return vocabulary
