"""The encoder: an open_clip model on torch. The one module of clipsearch that runs a network."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch.nn.functional import normalize

from clipsearch.errors import ModelError
from clipsearch.models.catalogue import Config
from clipsearch.models.fingerprint import fingerprint_of
from clipsearch.models.names import CONFIG_FILE
from clipsearch.models.weights import ResolvedModel
from clipsearch.types import Pixels, Preprocessing, Vectors

_LARGEST_BATCH = 512

# A GPU wants many pictures at once; on a CPU more than this gains nothing and a crash would lose more.
_BATCH = {"cuda": 256, "mps": 64, "cpu": 64}


class OpenClipEncoder:
    """`clipsearch.types.Encoder` for any model of open_clip.

    Runs in float32 on the CPU and on Apple's GPUs, in bfloat16 on CUDA; vectors are normalised in float32. When the
    memory of a CUDA GPU runs out, batches are halved from then on. `device` is `auto` (CUDA, else MPS, else the
    CPU), `cuda`, `mps` or `cpu`. Raises ModelError if the device is not there or the files make no such model.
    """

    def __init__(self, model: ResolvedModel, device: str = "auto") -> None:
        self.device = pick_device(device)
        self.name = model.name
        self.fingerprint = fingerprint_of(model)
        self.dim = int(model.config["embed_dim"])
        self.batch_size = _BATCH[self.device.type]
        self.preprocessing: Preprocessing = model.preprocessing
        # Convolutions run about twice as fast with channels last, on a CPU too; MPS gains nothing.
        self._layout = torch.contiguous_format if self.device.type == "mps" else torch.channels_last
        self._largest_batch = _LARGEST_BATCH
        with quiet():
            self._tokenize = _load_tokenizer(model)
        network = load_network(model).eval().requires_grad_(False)
        self._model: Any = network.to(self.device).to(memory_format=self._layout)
        self.logit_scale, self.logit_bias = _logits(self._model)
        self._mean = self._channels(model.preprocessing.mean)
        self._std = self._channels(model.preprocessing.std)

    def encode_images(self, pixels: Pixels) -> Vectors:
        """Embed uint8 pixels [n, height, width, 3] of the size `preprocessing` says; returns float32 [n, dim]."""
        return self._embed(self._image_tower, pixels)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed sentences, each cut off at the model's context length; returns float32 [n, dim]."""
        return self._embed(self._text_tower, texts)

    def _image_tower(self, pixels: Pixels) -> torch.Tensor:
        # torch wants memory it may write to, which a memory-mapped array is not.
        batch = torch.from_numpy(np.require(pixels, np.uint8, ["C", "W"])).to(self.device)
        batch = batch.permute(0, 3, 1, 2).to(torch.float32, memory_format=self._layout)
        features: torch.Tensor = self._model.encode_image(batch.div_(255).sub_(self._mean).div_(self._std))
        return features

    def _text_tower(self, texts: Sequence[str]) -> torch.Tensor:
        features: torch.Tensor = self._model.encode_text(self._tokenize(texts).to(self.device))
        return features

    def _embed(self, tower: Callable[[Any], torch.Tensor], inputs: Any) -> Vectors:
        vectors = np.empty((len(inputs), self.dim), np.float32)
        start = 0
        while start < len(inputs):
            batch = inputs[start : start + self._largest_batch]
            try:
                vectors[start : start + len(batch)] = self._forward(tower, batch)
                start += len(batch)
            except torch.OutOfMemoryError as error:
                if len(batch) == 1:
                    raise ModelError(
                        f"{self.device.type} has not enough free memory for {self.name}: close what else uses it, "
                        "take a smaller model, or pass `--device cpu`"
                    ) from error
                self._largest_batch = len(batch) // 2
        return vectors

    @torch.inference_mode()
    def _forward(self, tower: Callable[[Any], torch.Tensor], batch: Any) -> Vectors:
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            features = tower(batch)
        vectors: Vectors = normalize(features.float(), dim=-1).cpu().numpy()
        return vectors

    def _channels(self, values: tuple[float, float, float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.device).view(3, 1, 1)


def pick_device(wanted: str) -> torch.device:
    """Return the torch device for `auto`, `cuda`, `mps` or `cpu`; raises ModelError if this machine has it not."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    usable = [name for name, there in present.items() if there]
    if wanted == "auto":
        return torch.device(usable[0])
    if wanted not in usable:
        raise ModelError(f"torch finds no device {wanted!r} on this machine: pass {', '.join(usable)} or auto")
    return torch.device(wanted)


def build_network(config: Config, name: str) -> torch.nn.Module:
    """Return the untrained open_clip network of a `model_cfg`, with weights drawn from torch's random numbers.

    `name` is what an error calls it. Raises ModelError if the installed open_clip has no such architecture.
    """
    import open_clip

    # A folder with a configuration is the one way to hand open_clip a configuration of one's own.
    with TemporaryDirectory() as folder, quiet():
        Path(folder, CONFIG_FILE).write_text(json.dumps({"model_cfg": config}), encoding="utf-8")
        try:
            network: torch.nn.Module = open_clip.create_model(
                f"local-dir:{folder}", load_weights=False, pretrained_text=False
            )
        except Exception as error:
            raise ModelError(
                f"The installed open_clip cannot build the architecture of {name}: upgrade it with "
                "`pip install --upgrade open-clip-torch`, or choose another model"
            ) from error
    return network


def load_network(model: ResolvedModel) -> torch.nn.Module:
    """Return the open_clip network of `model` with its weights, ready to train; raises ModelError if they do not fit."""
    network = build_network(model.config, model.name)
    with quiet():
        _fill(network, model)
    return network


def _logits(network: Any) -> tuple[float, float | None]:
    """Scale and bias that the network learned; it keeps the logarithm of the scale."""
    return float(network.logit_scale.exp()), float(network.logit_bias) or None


def _fill(network: Any, model: ResolvedModel) -> None:
    from open_clip.factory import load_checkpoint

    # Weights trained with the sigmoid loss have a bias, whatever their architecture says. Without one in the weights
    # open_clip fills in 0, which no training ends on.
    network.logit_bias = torch.nn.Parameter(torch.zeros_like(network.logit_scale))
    try:
        load_checkpoint(network, str(model.checkpoint), strict=True, weights_only=True)
    # Damaged files make torch, pickle and safetensors raise nearly anything.
    except Exception as error:
        readable = _is_readable(model.checkpoint)
        problem = "holds the weights of another architecture" if readable else "is damaged or not a file of weights"
        raise ModelError(
            f"{model.checkpoint} {problem}, so {model.name} cannot be loaded: check the architecture in the model's "
            "name, or get the file again"
        ) from error


def _is_readable(checkpoint: Path) -> bool:
    from open_clip.factory import load_state_dict

    try:
        return bool(load_state_dict(str(checkpoint), weights_only=True))
    except Exception:
        return False


@contextmanager
def quiet() -> Iterator[None]:
    """Keep open_clip's messages off the terminal.

    It logs through the root logger, whose functions of the module `logging` also hang a handler on it if it has
    none.
    """
    root, silence = logging.getLogger(), logging.NullHandler()
    root.addHandler(silence)
    root.addFilter(_not_from_open_clip)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeFilter(_not_from_open_clip)
        root.removeHandler(silence)


def _not_from_open_clip(record: logging.LogRecord) -> bool:
    return Path(record.pathname).parent.name != "open_clip"


def _load_tokenizer(model: ResolvedModel) -> Callable[[Sequence[str]], torch.Tensor]:
    from clipsearch.models.tokenizer import load_tokenizer

    try:
        return load_tokenizer(model.tokenizer)
    except Exception as error:
        raise ModelError(
            f"{model.tokenizer.vocabulary} is damaged or not a tokenizer, so {model.name} cannot be loaded: "
            "get the file again"
        ) from error
