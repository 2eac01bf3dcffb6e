"""How a network runs best on a GPU: measured once, then remembered for this GPU, this model and this torch."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b

import msgspec
import numpy as np
import torch

from clipsearch.models import cache
from clipsearch.models.gpu.forms import Form, ImageNetwork, embed_exactly, embed_in
from clipsearch.models.gpu.lane import Lane, in_turn
from clipsearch.models.towers.image_choice import FAITHFUL
from clipsearch.models.towers.samples import sample_pixels, worst_cosine
from clipsearch.types import Pixels, Preprocessing, Vectors

SMALLEST = 32
"""Pictures: in smaller batches a GPU is no quicker than what it is fed by."""

_PLAIN = tuple(Form(precision, False, recorded) for precision in ("bfloat16", "mixed") for recorded in (True, False))
"""Forms that need no compiler, the quicker first."""

_GROWTH = 1.05
"""How many times quicker twice the batch, or a compiled network, must be to be worth its memory, or its seconds."""

_SECONDS = 0.5
"""To measure a form for."""

_SCHEME = 2
"""Raise it when what is remembered means something else."""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was measured. `batch` is in pictures, `rates` in pictures a second by form, each in its best batch."""

    form: Form
    batch: int
    rates: Mapping[str, float]


def key_of(fingerprint: str, device: torch.device, largest: int) -> str:
    """What a choice is remembered under: another GPU, model, torch or largest batch has one of its own."""
    chip = torch.cuda.get_device_properties(device)
    facts = (_SCHEME, fingerprint, chip.name, chip.total_memory, largest, torch.__version__)
    return f"gpu-{blake2b(repr(facts).encode(), digest_size=12).hexdigest()}"


def remembered(key: str) -> Choice | None:
    """What an earlier run chose; None where none did, or nothing sound is left of it."""
    try:
        return msgspec.convert(cache.read(key), Choice)
    except msgspec.ValidationError:
        return None


def remember(key: str, choice: Choice) -> None:
    """Keep a choice for later runs; a cache that cannot be written costs time, no more."""
    cache.write(key, msgspec.to_builtins(choice))


def choose(images: ImageNetwork, device: torch.device, largest: int) -> Choice | None:
    """Measure the forms of a network on a device, in batches of up to `largest` pictures.

    Returns:
        The quickest that stays within cosine `FAITHFUL` of float32 for the worst of nine sample pictures; None where
        none does, or not even the smallest batch fits the memory.
    """
    plain = next(filter(None, (_grown(form, images, device, largest) for form in _PLAIN)), None)
    if plain is None:
        return None
    form = Form(plain.form.precision, compiled=True, recorded=plain.form.recorded)
    rate = 0.0
    with suppress(torch.OutOfMemoryError):
        rate = _rate(form, images, device, plain.batch)
    rates = {**plain.rates, str(form): rate}
    better = rate > _GROWTH * plain.rates[str(plain.form)]
    return Choice(form if better else plain.form, plain.batch, rates)


def open_lane(form: Form, images: ImageNetwork, device: torch.device, batch: int) -> Lane | None:
    """A lane, if its vectors of sample pictures are true to float32; None where they are not, or torch fails.

    Raises:
        torch.OutOfMemoryError: the device has not enough memory.
    """
    try:
        embed = embed_in(form, images, device)
        lane = Lane(embed, device, batch, images.shape, images.dim, recorded=form.recorded)
        return lane if _cosine(lane, images) >= FAITHFUL else None
    except torch.OutOfMemoryError:
        raise
    except Exception:  # no compiler, or whatever an unusual network makes torch raise
        return None


def best_batch(rate: Callable[[int], float], largest: int) -> tuple[int, float]:
    """Double the batch from `SMALLEST` to `largest` for as long as that is worth it and fits the memory.

    Args:
        rate: a batch to pictures a second; may raise torch.OutOfMemoryError.
        largest: pictures.

    Returns:
        The batch and its rate; both 0 where nothing fits, or nothing works.
    """
    best, quickest = 0, 0.0
    size = SMALLEST
    while size <= largest:
        try:
            found = rate(size)
        except torch.OutOfMemoryError:
            break
        if found <= _GROWTH * quickest:
            break
        best, quickest = size, found
        size *= 2
    return best, quickest


def rate_of(lanes: Sequence[Lane], images: ImageNetwork, seconds: float) -> float:
    """Pictures a second of lanes that are fed with arrays for so many seconds."""
    pixels = np.random.default_rng(0).integers(0, 256, (lanes[0].batch, *images.shape), np.uint8)
    begun = time.perf_counter()

    def batches() -> Iterator[Pixels]:
        while time.perf_counter() - begun < seconds:
            yield pixels

    count = sum(len(vectors) for vectors in in_turn(lanes, batches()))
    return count / (time.perf_counter() - begun)


def release() -> None:
    """Give memory of lanes that are gone back to the GPUs."""
    gc.collect()
    # Before 2.13 torch takes a recording that failed for one that goes on, and refuses (pytorch's pull request 180395).
    with suppress(RuntimeError):
        torch.cuda.empty_cache()


def _grown(form: Form, images: ImageNetwork, device: torch.device, largest: int) -> Choice | None:
    batch, rate = best_batch(lambda size: _rate(form, images, device, size), largest)
    return Choice(form, batch, {str(form): rate}) if batch else None


def _rate(form: Form, images: ImageNetwork, device: torch.device, batch: int) -> float:
    """Pictures a second through a lane, copying included; 0 where there can be no such lane."""
    lane = open_lane(form, images, device, batch)
    rate = 0.0 if lane is None else rate_of([lane], images, _SECONDS)
    del lane
    release()
    return rate


def _cosine(lane: Lane, images: ImageNetwork) -> float:
    """Of the worst sample to the network in float32."""
    pixels = _samples(images.preprocessing)
    parts = [pixels[start : start + lane.batch] for start in range(0, len(pixels), lane.batch)]
    wanted = _exactly(images, pixels)  # first: a lane that reads memory it does not own is then found out
    found = np.concatenate(list(in_turn([lane], parts)))
    return worst_cosine(found, wanted)


@lru_cache(maxsize=2)
def _samples(preprocessing: Preprocessing) -> Pixels:
    return sample_pixels(preprocessing)


def _exactly(images: ImageNetwork, pixels: Pixels) -> Vectors:
    device = next(images.network.parameters()).device
    with torch.inference_mode():
        vectors: Vectors = embed_exactly(images, device)(torch.from_numpy(pixels).to(device)).cpu().numpy()
    return vectors
