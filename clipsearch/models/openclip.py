"""Networks of open_clip, and the encoder made of one."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from clipsearch.errors import ModelError
from clipsearch.models.catalogue import Config
from clipsearch.models.fingerprint import fingerprint_of
from clipsearch.models.forward import BATCH, Forward, Normaliser, memory_format, pick_device
from clipsearch.models.gpu.forms import ImageNetwork
from clipsearch.models.gpu.images import on_all_gpus, pictures_a_call
from clipsearch.models.names import CONFIG_FILE
from clipsearch.models.tokenizer import tokenizer_of
from clipsearch.models.weights import ResolvedModel
from clipsearch.types import Pixels, Preprocessing, Vectors


class OpenClipEncoder:
    """`clipsearch.types.Encoder` for any model of open_clip.

    Runs in float32 on the CPU and on Apple's GPUs, in bfloat16 on CUDA; vectors are normalised in float32. When the
    memory of a CUDA GPU runs out, batches are halved from then on. Many pictures go to all CUDA GPUs, see `gpu`.
    `device` is `auto` (CUDA, else MPS, else the CPU), `cuda`, `mps` or `cpu`; `threads` are those of a CPU; `tell`
    hears of what a GPU takes up to a minute for, once. Raises ModelError if the device is not there or the files make
    no such model.
    """

    def __init__(
        self,
        model: ResolvedModel,
        device: str = "auto",
        threads: int | None = None,
        tell: Callable[[str], None] = lambda what: None,
    ) -> None:
        self.device = pick_device(device)
        if threads is not None:
            torch.set_num_threads(threads)
        self.name = model.name
        self.fingerprint = fingerprint_of(model)
        self.dim = int(model.config["embed_dim"])
        self.batch_size = BATCH[self.device.type]
        self.preprocessing: Preprocessing = model.preprocessing
        with quiet():
            self.tokenize = tokenizer_of(model)
        network = load_network(model).eval().requires_grad_(False)
        self.network: Any = network.to(self.device).to(memory_format=memory_format(self.device))
        self.logit_scale, self.logit_bias = _logits(self.network)
        self._normalise = Normaliser(model.preprocessing, self.device)
        self._forward = Forward(model.name, self.dim, self.device)
        self._on_gpus: Callable[[Pixels], Vectors] | None = None
        if self.device.type == "cuda":
            images = ImageNetwork(self.network, image_features, self.preprocessing, self.dim)
            self.batch_size = pictures_a_call(images.shape)
            by_one = partial(self._forward, self._image_tower)
            self._on_gpus = on_all_gpus(images, by_one, self.fingerprint, tell)

    def encode_images(self, pixels: Pixels) -> Vectors:
        """Embed uint8 pixels [n, height, width, 3] of the size `preprocessing` says; returns float32 [n, dim]."""
        # Kept where a GPU embeds, and made anew elsewhere: a bound method would keep the model from being let go of.
        return self._on_gpus(pixels) if self._on_gpus else self._forward(self._image_tower, pixels)

    def encode_images_in_bfloat16(self, pixels: Pixels) -> Vectors:
        """The same, products of matrices and convolutions in bfloat16, for processors that have instructions for it."""
        with torch.autocast("cpu", torch.bfloat16):
            return self.encode_images(pixels)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed sentences, each cut off at the model's context length; returns float32 [n, dim]."""
        return self._forward(self._text_tower, texts)

    def let_go_of_texts(self) -> None:
        """Free the memory of the text tower; from now on only pictures can be embedded."""
        for name, _ in list(self.network.named_children()):
            if name != "visual":
                delattr(self.network, name)

    def _image_tower(self, pixels: Pixels) -> torch.Tensor:
        return image_features(self.network, self._normalise(pixels))

    def _text_tower(self, texts: Sequence[str]) -> torch.Tensor:
        features: torch.Tensor = self.network.encode_text(torch.from_numpy(self.tokenize(texts)).to(self.device))
        return features


def image_features(network: Any, pixels: torch.Tensor) -> torch.Tensor:
    """What a network of open_clip makes of normalised pixels [n, 3, height, width]: features [n, dim]."""
    features: torch.Tensor = network.encode_image(pixels)
    return features


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
    """Return the open_clip network of `model` with its weights; raises ModelError if they do not fit."""
    with _Undrawn():
        network = build_network(model.config, model.name)
    with quiet():
        _fill(network, model)
    return network


class _Undrawn(TorchFunctionMode):
    """Leaves most weights as they come out of memory where torch would draw random ones: those of a file follow, and to
    draw a hundred million takes a second. What draws until values are within bounds is let alone."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _DRAWN:
            return kwargs["tensor"]  # they hand over their arguments by name
        return func(*args, **(kwargs or {}))


_DRAWN = (torch.nn.init.normal_, torch.nn.init.uniform_, torch.nn.init.kaiming_uniform_)


def _logits(network: Any) -> tuple[float, float | None]:
    """Scale and bias that the network learned; it keeps the logarithm of the scale."""
    bias = network.logit_bias
    return float(network.logit_scale.exp()), None if bias is None else float(bias)


def _fill(network: Any, model: ResolvedModel) -> None:
    from open_clip.factory import load_checkpoint

    # Weights trained with the sigmoid loss have a bias, whatever their architecture says. Without one in the weights
    # open_clip fills in 0, on which no training ends.
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
    if not network.logit_bias:
        network.logit_bias = None


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
