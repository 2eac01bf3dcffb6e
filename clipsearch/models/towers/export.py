"""What torch has to do once for a model: to tell its facts, and to write its image tower as an ONNX graph."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn.functional import normalize

from clipsearch.models.openclip import OpenClipEncoder
from clipsearch.models.towers.facts import TEXT_WEIGHTS, Facts
from clipsearch.models.towers.image_tower import INPUT, OUTPUT
from clipsearch.models.towers.mapped import Tensors, map_tensors
from clipsearch.models.towers.rewrites import OPSET, gelu_in_one, rewritten
from clipsearch.models.towers.samples import worst_cosine
from clipsearch.models.towers.silence import without_advice
from clipsearch.models.towers.text_tower import TextTower, text_shape
from clipsearch.models.weights import ResolvedModel

LARGEST = 1_900_000_000
"""Bytes of weights: a graph in one file ends at 2 GiB, a limit of Protocol Buffers. Such a tower is for a GPU."""

_EXACT = 0.99999
"""Cosine of what NumPy and torch make of a sentence, below which NumPy does not run the tower as it should."""

_SENTENCES = ("a dog", "Zwei Kinder am Strand, 1987 &amp; später", "word " * 90, "")


def facts_of(encoder: OpenClipEncoder, model: ResolvedModel, folder: Path) -> Facts:
    """The facts of a loaded model; text weights go to `folder` where the model's own file cannot be mapped.

    Raises:
        OSError: the folder cannot be written.
    """
    text = _text_of(encoder, model, folder)
    return Facts(encoder.fingerprint, encoder.logit_scale, encoder.logit_bias, text)


def _text_of(encoder: OpenClipEncoder, model: ResolvedModel, folder: Path) -> Any:
    shape = text_shape(model.config)
    if shape is None or model.tokenizer.by_transformers:
        return "torch"
    wanted = encoder.encode_texts(_SENTENCES)
    tokens = encoder.tokenize(_SENTENCES)

    def exact(tensors: Tensors) -> bool:
        try:
            found = TextTower(shape, tensors)(tokens)
        except (KeyError, ValueError, IndexError):
            return False
        return found.shape == wanted.shape and worst_cosine(found, wanted) >= _EXACT

    if model.checkpoint.suffix == ".safetensors" and exact(map_tensors(model.checkpoint)):
        return "model"
    weights = {name: value for name, value in encoder.network.state_dict().items() if not _is_of_pictures(name)}
    if not exact({name: value.numpy() for name, value in weights.items()}):
        return "torch"
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"new-{TEXT_WEIGHTS}"
    save_file({name: value.contiguous() for name, value in weights.items()}, temporary)
    temporary.replace(folder / TEXT_WEIGHTS)
    return "exported"


def _is_of_pictures(name: str) -> bool:
    return name.startswith("visual.")


def bytes_of_images(encoder: OpenClipEncoder) -> int:
    """How large the image tower is in single precision."""
    return 4 * sum(int(value.numel()) for name, value in encoder.network.state_dict().items() if _is_of_pictures(name))


class _PixelsToVectors(torch.nn.Module):
    """An image tower with what comes before and after it."""

    def __init__(self, encoder: OpenClipEncoder) -> None:
        super().__init__()
        self.network, self.dim = encoder.network, encoder.dim
        preprocessing = encoder.preprocessing
        self.mean = torch.tensor(preprocessing.mean).view(1, 3, 1, 1)
        self.std = torch.tensor(preprocessing.std).view(1, 3, 1, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        scaled = pixels.permute(0, 3, 1, 2).to(torch.float32) / 255
        vectors = normalize(self.network.encode_image((scaled - self.mean) / self.std), dim=-1)
        return vectors.view(-1, self.dim)  # which the graph may not know of every tower


def export_images(encoder: OpenClipEncoder, file: Path) -> None:
    """Write the image tower of a loaded model: uint8 [n, height, width, 3] to float32 [n, dim] of norm 1.

    Raises:
        OSError: the file cannot be written.
        Exception: the tower does something that ONNX does not know.
    """
    wanted = encoder.preprocessing
    graph = _PixelsToVectors(encoder).eval()
    example = torch.from_numpy(np.full((2, wanted.height, wanted.width, 3), 128, np.uint8))
    with _exportable(), gelu_in_one(), rewritten(encoder.network.visual), torch.inference_mode():
        torch.onnx.export(
            graph,
            (example,),
            str(file),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "n"}, OUTPUT: {0: "n"}},
            opset_version=OPSET,
            custom_opsets={"com.microsoft": 1},
            dynamo=False,  # five times as quick as the other, and in need of no further package
        )


@contextmanager
def _exportable() -> Iterator[None]:
    """Attention in steps that ONNX knows, and no advice on the terminal."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with without_advice(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
