"""How quick the GPUs of this machine embed pictures, and whether its processors decode as many."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from PIL import Image

from clipsearch.errors import ModelError, UsageError
from clipsearch.models import catalogue
from clipsearch.models.gpu.choice import rate_of, release
from clipsearch.models.gpu.flops import gigaflops, peak_of
from clipsearch.models.gpu.forms import ImageNetwork
from clipsearch.models.gpu.images import GpuImages, pictures_a_call
from clipsearch.models.openclip import build_network, image_features
from clipsearch.models.preprocessing import agreed, preprocessing_of
from clipsearch.models.towers.engine import processors
from clipsearch.pictures.decode import DEFAULT_MAX_PIXELS
from clipsearch.pictures.for_model import Target
from clipsearch.pictures.isolated import Decoders, Looked, all_wanted
from clipsearch.pictures.messages import MOST
from clipsearch.types import Pixels, Tell

ARCHITECTURES = ("ViT-B-32", "ViT-L-14", "ViT-B-16-SigLIP2")

_SIZE, _DISTINCT = (640, 480), 64


@dataclass(frozen=True, slots=True)
class GpuRate:
    """What was measured of an architecture with random weights.

    Attributes:
        model: the architecture.
        gpus: how many of them.
        gpu: the name of the first.
        form: how the network is run, and `batch` how many pictures at a time on each GPU.
        gigaflops: floating-point operations for one picture, in billions.
        tensors: images/s fed with arrays of pixels.
        share: of the GPUs' peak at that rate, 0..1; None where the peak is not known.
        jpegs: images/s fed with JPEGs of 640 x 480 in memory, decoded by `processes`.
        nvjpeg: such JPEGs a second that the first GPU decodes by itself, neither resized nor embedded; None where it
            cannot.
    """

    model: str
    gpus: int
    gpu: str
    form: str
    batch: int
    gigaflops: float
    tensors: float
    share: float | None
    jpegs: float
    processes: int
    nvjpeg: float | None


def bench_gpu(
    architectures: Sequence[str] = ARCHITECTURES,
    *,
    seconds: float = 10.0,
    peak: float | None = None,
    tell: Tell = lambda what, done, total: None,
) -> list[GpuRate]:
    """Measure architectures of open_clip on all CUDA GPUs of this machine.

    Args:
        architectures: by the names open_clip gives them.
        seconds: to measure each way of feeding for.
        peak: dense bfloat16 TFLOP/s of one GPU; by default what a table has for its name.
        tell: hears of each architecture.

    Raises:
        ModelError: there is no CUDA GPU, or a network does not run on it.
        UsageError: there is no such architecture.
    """
    for architecture in architectures:
        if architecture not in catalogue.architectures():
            raise UsageError(f"open_clip has no architecture {architecture!r}; name one like {ARCHITECTURES[0]}.")
    if not torch.cuda.is_available():
        raise ModelError(
            "torch finds no CUDA GPU on this machine, and this measures nothing else: run it on one that has a GPU"
        )
    devices = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    chip = torch.cuda.get_device_name(devices[0])
    rates = []
    for number, architecture in enumerate(architectures):
        tell(architecture, number, len(architectures))
        images = random_network(architecture)
        rates.append(measure(architecture, images, devices, chip, seconds=seconds, peak=peak))
        release()
    return rates


def random_network(architecture: str) -> ImageNetwork:
    """An architecture of open_clip with random weights, which does not change how quick it is."""
    config = catalogue.architecture_config(architecture)
    preprocessing = preprocessing_of(config, agreed(catalogue.published().get(architecture, {}).values()))
    network = build_network(config, architecture).eval().requires_grad_(False)
    return ImageNetwork(network, image_features, preprocessing, int(config["embed_dim"]))


def made_jpegs(count: int) -> list[bytes]:
    """JPEGs of 640 x 480 and some 120 kB, coarse shapes under grain; the same each time."""
    random = np.random.default_rng(0)
    return [_jpeg(random) for _ in range(count)]


def fed_with_jpegs(
    embed: Callable[[Pixels], object], target: Target, jpegs: Sequence[bytes], call: int, processes: int, seconds: float
) -> float:
    """Images/s from JPEGs to vectors: the next call's are decoded by processes while the last is embedded.

    Args:
        embed: takes uint8 pixels [call, height, width, 3].
        target: what is decoded for.
        jpegs: taken over and over.
        call: pictures a call.
        processes: that decode.
        seconds: to measure for, after a first call that is not counted.
    """
    contents = [jpegs[number % len(jpegs)] for number in range(call)]
    with Decoders(processes, target) as decoders, ThreadPoolExecutor(processes) as pool:
        begin = partial(_begun, pool, decoders, contents)
        embed(np.stack([pixels for future in begin() for pixels in future.result()]))
        ahead, count, begun = begin(), 0, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            decoded = [future.result() for future in ahead]
            ahead = begin()  # so that the decoders have work while pixels are put together
            embed(np.stack([pixels for group in decoded for pixels in group]))
            count += call
        taken = time.perf_counter() - begun
        for future in ahead:
            future.cancel()
    return count / taken


def measure(
    architecture: str,
    images: ImageNetwork,
    devices: Sequence[torch.device],
    chip: str,
    *,
    seconds: float,
    peak: float | None = None,
) -> GpuRate:
    """Measure one network, on a CPU, on devices of the name `chip`. Arguments and errors else as of `bench_gpu`."""
    operations = gigaflops(images)
    images.network.to(devices[0])
    embed = GpuImages(images, _refuse, devices, None)
    embed.prepare()
    if embed.choice is None or not embed.lanes:
        raise ModelError(f"{architecture} does not run on this GPU: close what else uses it, or leave it out")
    tensors = rate_of(embed.lanes, images, seconds)
    ceiling = peak or peak_of(chip)
    processes, jpegs = processors(), made_jpegs(_DISTINCT)
    target = Target(images.preprocessing, DEFAULT_MAX_PIXELS)
    return GpuRate(
        model=architecture,
        gpus=len(devices),
        gpu=chip,
        form=str(embed.choice.form),
        batch=embed.choice.batch,
        gigaflops=operations,
        tensors=tensors,
        share=tensors * operations / (1000 * ceiling * len(devices)) if ceiling else None,
        jpegs=fed_with_jpegs(embed, target, jpegs, pictures_a_call(images.shape), processes, seconds),
        processes=processes,
        nvjpeg=_nvjpeg(jpegs, devices[0], seconds),
    )


def _nvjpeg(jpegs: Sequence[bytes], device: torch.device, seconds: float) -> float | None:
    if device.type != "cuda":
        return None
    try:
        from torchvision.io import ImageReadMode, decode_jpeg  # type: ignore[import-untyped]

        contents = [torch.frombuffer(bytearray(content), dtype=torch.uint8) for content in jpegs]
        decode_jpeg(contents, ImageReadMode.RGB, device=device)
        count, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            # nvJPEG's hardware writes before work that was queued earlier has read (torchvision's pull request 9606).
            torch.cuda.synchronize(device)
            decode_jpeg(contents, ImageReadMode.RGB, device=device)
            count += len(contents)
        torch.cuda.synchronize(device)
    except (ImportError, RuntimeError):  # torchvision without it: it is on its way out there
        return None
    return count / (time.perf_counter() - begun)


def _refuse(pixels: Pixels) -> np.ndarray:
    raise ModelError("The GPU ran out of memory while it was measured: close what else uses it")


def _begun(pool: ThreadPoolExecutor, decoders: Decoders, contents: Sequence[bytes]) -> list[Future[list[Pixels]]]:
    groups = [contents[start : start + MOST] for start in range(0, len(contents), MOST)]
    return [pool.submit(_decoded, decoders, group) for group in groups]


def _decoded(decoders: Decoders, contents: Sequence[bytes]) -> list[Pixels]:
    looked = decoders.look(contents, all_wanted).pictures
    return [one.decoded.pixels for one in looked if isinstance(one, Looked) and one.decoded is not None]


def _jpeg(random: np.random.Generator) -> bytes:
    coarse = Image.fromarray(random.integers(0, 256, (30, 40, 3), np.uint8)).resize(_SIZE, Image.Resampling.BICUBIC)
    grain = random.normal(0, 6, (_SIZE[1], _SIZE[0], 1))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)).save(buffer, "jpeg", quality=90)
    return buffer.getvalue()
