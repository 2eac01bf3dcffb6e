"""The encoder for dual encoders of the transformers library: ALIGN, CLIP, SigLIP, AltCLIP and their like."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import numpy as np
import torch

from clipsearch.errors import ModelError
from clipsearch.models.fingerprint import hf_fingerprint_of
from clipsearch.models.forward import BATCH, Forward, Normaliser, memory_format, pick_device
from clipsearch.models.gpu.forms import ImageNetwork
from clipsearch.models.gpu.images import on_all_gpus, pictures_a_call
from clipsearch.models.hf_files import HfModel
from clipsearch.models.names import HF_CONFIG_FILE
from clipsearch.types import Pixels, Preprocessing, Vectors

_INTERPOLATIONS: dict[int, Literal["bilinear", "bicubic"]] = {2: "bilinear", 3: "bicubic"}
"""Numbers that Pillow gives its filters, which is how `preprocessor_config.json` names them."""

_LONGEST_TEXT = 512

# Without the second, transformers asks on the terminal whether to run code that came with the model.
_NOTHING_FOREIGN = {"local_files_only": True, "trust_remote_code": False}


class HuggingFaceEncoder:
    """`clipsearch.types.Encoder` for a dual encoder of the transformers library.

    Precision, memory, `device` and `tell` are as `OpenClipEncoder` has them. A model that looks at the centre of what
    it is given, as ALIGN does (346 pixels resized to, 289 looked at), crops it itself: `preprocessing` is what comes
    before. Raises ModelError if the device is not there or the files make no dual encoder.
    """

    def __init__(self, model: HfModel, device: str = "auto", tell: Callable[[str], None] = lambda what: None) -> None:
        self.device = pick_device(device)
        self.name = model.name
        self.fingerprint = hf_fingerprint_of(model)
        self.batch_size = BATCH[self.device.type]
        with _quiet():
            self.preprocessing, self._side = _picture_preparation(model)
            network = _load_network(model)
            self._tokenize = _load_tokenizer(model, network.config)
        self.logit_scale, self.logit_bias = _logits(network)
        self._model: Any = network.to(self.device).to(memory_format=memory_format(self.device))
        self._normalise = Normaliser(self.preprocessing, self.device)
        with torch.inference_mode():
            self.dim = self._text_tower([""]).shape[1]
        self._forward = Forward(model.name, self.dim, self.device)
        self._on_gpus: Callable[[Pixels], Vectors] | None = None
        if self.device.type == "cuda":
            images = ImageNetwork(self._model, self._features, self.preprocessing, self.dim)
            self.batch_size = pictures_a_call(images.shape)
            by_one = partial(self._forward, self._image_tower)
            self._on_gpus = on_all_gpus(images, by_one, self.fingerprint, tell)

    def encode_images(self, pixels: Pixels) -> Vectors:
        """Embed uint8 pixels [n, height, width, 3] of the size `preprocessing` says; returns float32 [n, dim]."""
        return self._on_gpus(pixels) if self._on_gpus else self._forward(self._image_tower, pixels)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed sentences, each cut off at the model's context length; returns float32 [n, dim]."""
        return self._forward(self._text_tower, texts)

    def _image_tower(self, pixels: Pixels) -> torch.Tensor:
        return self._features(self._model, self._normalise(pixels))

    def _features(self, model: Any, pixels: torch.Tensor) -> torch.Tensor:
        seen = _centre(pixels, self._side)
        features: torch.Tensor = model.get_image_features(pixel_values=seen).pooler_output
        return features

    def _text_tower(self, texts: Sequence[str]) -> torch.Tensor:
        tokens = self._tokenize(texts).to(self.device)
        features: torch.Tensor = self._model.get_text_features(**tokens).pooler_output
        return features


def _centre(pixels: torch.Tensor, side: tuple[int, int]) -> torch.Tensor:
    """The middle (height, width) of pixels [n, 3, height, width]."""
    top, left = (pixels.shape[2] - side[0]) // 2, (pixels.shape[3] - side[1]) // 2
    return pixels[:, :, top : top + side[0], left : left + side[1]]


def _load_network(model: HfModel) -> Any:
    from transformers import AutoConfig, AutoModel

    try:
        config = AutoConfig.from_pretrained(model.folder, **_NOTHING_FOREIGN)
    except Exception as error:
        raise ModelError(
            f"{model.folder / HF_CONFIG_FILE} describes no architecture that the installed transformers library knows: "
            "upgrade it with `pip install --upgrade transformers`, or choose another model"
        ) from error
    try:
        # Not in the precision of the file: half precision is slow on a CPU.
        network, report = AutoModel.from_pretrained(
            model.folder, config=config, dtype=torch.float32, output_loading_info=True, **_NOTHING_FOREIGN
        )
    # Damaged files make torch, pickle and safetensors raise nearly anything.
    except Exception as error:
        raise _unusable(model) from error
    if report["missing_keys"]:  # which transformers would fill with random numbers
        raise _unusable(model)
    towers = all(hasattr(network, name) for name in ("get_image_features", "get_text_features"))
    if not (towers and any(hasattr(network, name) for name in ("logit_scale", "temperature"))):
        raise ModelError(
            f"{model.name} ({type(network).__name__}) does not embed pictures and texts into one space: choose a dual "
            "encoder such as CLIP, SigLIP or ALIGN"
        )
    return network.eval().requires_grad_(False)


def _unusable(model: HfModel) -> ModelError:
    files = ", ".join(path.name for path in model.weights)
    return ModelError(
        f"{files} of {model.folder} cannot be loaded: it is damaged, or does not hold all weights of the architecture "
        "that config.json describes; get the files again"
    )


def _logits(network: Any) -> tuple[float, float | None]:
    """Scale and bias that the network learned: most keep the logarithm of the scale, ALIGN the temperature."""
    scale = 1 / network.temperature if hasattr(network, "temperature") else network.logit_scale.exp()
    bias = getattr(network, "logit_bias", None)
    return float(scale), None if bias is None else float(bias)


def _load_tokenizer(model: HfModel, config: Any) -> Callable[[Sequence[str]], Any]:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(model.folder, **_NOTHING_FOREIGN)
    except Exception as error:
        raise ModelError(f"The tokenizer of {model.folder} is damaged or incomplete: get its files again") from error
    positions = getattr(config.get_text_config(), "max_position_embeddings", _LONGEST_TEXT)
    length = min(tokenizer.model_max_length, positions)
    # Padding that is masked changes no vector. SigLIP was trained with all of it seen; transformers' own pipeline for
    # zero-shot classification makes the same exception.
    seen = "attention_mask" not in tokenizer.model_input_names or "siglip" in config.model_type
    padding = "max_length" if seen else "longest"
    return lambda texts: tokenizer(
        list(texts), padding=padding, truncation=True, max_length=length, return_tensors="pt"
    )


def _picture_preparation(model: HfModel) -> tuple[Preprocessing, tuple[int, int]]:
    """How pictures are resized and normalised, and the (height, width) at the centre that the network sees."""
    from transformers import AutoImageProcessor

    try:
        processor = AutoImageProcessor.from_pretrained(model.folder, **_NOTHING_FOREIGN)
        return _read_processor(processor)
    except Exception as error:
        raise ModelError(
            f"{model.folder} prepares pictures in a way that clipsearch does not know: choose a model whose "
            "preprocessor_config.json resizes all of them to one size, bilinear or bicubic"
        ) from error


def _read_processor(processor: Any) -> tuple[Preprocessing, tuple[int, int]]:
    size = processor.size
    if not processor.do_resize:
        raise ValueError("pictures of all sizes")
    if size.shortest_edge and getattr(processor, "do_center_crop", False) and not size.longest_edge:
        width = height = int(size.shortest_edge)
    else:
        width, height = int(size.width), int(size.height)
    # Normalisation comes in several variants, all of them linear: what becomes of black and of white says everything.
    extremes = [np.full((height, width, 3), level, np.uint8) for level in (0, 255)]
    black, white = processor(images=extremes, do_resize=False, return_tensors="np")["pixel_values"]
    low, high = black[:, 0, 0].astype(float), white[:, 0, 0].astype(float)
    if black.shape[1] > height or black.shape[2] > width:
        raise ValueError("a border is added")
    mean, std = -low / (high - low), 1 / (high - low)
    preprocessing = Preprocessing(
        width=width,
        height=height,
        resize_mode="shortest_hf" if size.shortest_edge else "squash",
        interpolation=_INTERPOLATIONS[int(processor.resample)],
        mean=tuple(mean.tolist()),
        std=tuple(std.tolist()),
    )
    return preprocessing, black.shape[1:]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the messages and progress bars of transformers off the terminal."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
